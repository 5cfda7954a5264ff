import Basics
import Testing

/// Charts and report pages, as text: what they show and that no name breaks out of it.
@Suite(.serialized) struct ChartTests {
    /// Runs a script that writes to `path`, and gives what it wrote.
    private func written(_ script: String, _ ending: String = "svg") throws -> String {
        let path = "/tmp/moonrail-chart-\(UInt64.random(in: 0 ... .max)).\(ending)"
        try run("local path = \"\(path)\"\n" + script)
        return String(decoding: try AtomicFile.read(path), as: UTF8.self)
    }

    /// Every tag is closed, and nothing but the five entities follows an ampersand.
    private func expectWellFormed(_ text: String) {
        var open: [Substring] = []
        for piece in text.split(separator: "<", omittingEmptySubsequences: false).dropFirst() {
            guard let end = piece.firstIndex(of: ">") else { Issue.record("a tag without an end: \(piece)"); return }
            let tag = piece[..<end]
            if tag.hasSuffix("/") { continue }
            let name = tag.prefix { !$0.isWhitespace }
            if name.hasPrefix("/") { #expect(open.popLast() == name.dropFirst()) } else { open.append(name) }
        }
        #expect(open.isEmpty)
        for piece in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst() {
            #expect(["amp;", "lt;", "gt;", "quot;", "#39;"].contains { piece.hasPrefix($0) })
        }
    }

    private static let models = """
        local models = {
            { name = "dense", params = 1000, macs = 9000, accuracy = 0.9 },
            { name = "<script>alert('half')</script>", policy = "lwiq", params = 500, macs = 5000, accuracy = 0.89 },
            { name = "a third & more", policy = "uniform", params = 300, macs = 3000, accuracy = 0.85 },
        }

        """

    @Test func scoresAreBarsWithErrors() throws {
        let text = try written(
            """
            local rows = { { layer = "a<b", gain = 0.5, stderr = 0.1 }, { layer = "c\\0\\xFF", gain = -0.2, stderr = 0.1 } }
            mr.rows(rows):plot(path)
            """)
        #expect(text.hasPrefix("<svg") && text.contains("a&lt;b") && text.contains("c??") && text.contains("+50.0 %"))
        #expect(text.components(after: "class=\"err\"").count == 2 && text.contains("prefers-color-scheme:dark"))
        expectWellFormed(text)
    }

    /// Labels of 55 layers stand 18 pixels apart, and the paper is as high as they need.
    @Test func manyLayersDoNotCollide() throws {
        let text = try written(
            """
            local rows = {}
            for i = 1, 55 do rows[i] = { name = "layer " .. i, value = i } end
            mr.rows(rows):plot(path, { title = "Many" })
            """)
        let heights = text.components(after: "text-anchor=\"end\">layer").count
        #expect(heights == 55 && text.contains("height=\"1046\""))
        for i in 0..<55 { #expect(text.contains("y=\"\(53 + 18 * i).0\" text-anchor=\"end\">layer \(i + 1)<")) }
    }

    @Test func historiesAreLines() throws {
        let text = try written("net():fit(tiny(), { epochs = 3, validate = tiny() }):plot(path)")
        #expect(text.contains("training accuracy") && text.contains("validation accuracy") && text.contains(">loss<"))
        #expect(text.components(after: "<circle").count == 9)
        expectWellFormed(text)
    }

    @Test func comparisonsAreScattersInAColourForEachPolicy() throws {
        let text = try written(Self.models + "mr.compare(models):plot(path)")
        #expect(text.components(after: "<circle").count == 3)
        for colour in 1...3 { #expect(text.contains("<circle class=\"f\(colour)\"")) }
        #expect(text.contains("&lt;script&gt;alert(&#39;half&#39;)") && !text.contains("<script"))
        expectWellFormed(text)
    }

    /// Of points in one place only as many are labelled as have room; all say their names to a pointer.
    @Test func labelsWithoutRoomAreLeftOut() throws {
        let text = try written(
            """
            local models = {}
            for i = 1, 30 do models[i] = { name = "point " .. i, params = 100, accuracy = 0.5 } end
            mr.compare(models):plot(path)
            """)
        #expect(text.components(after: "<title>point ").count == 30)
        #expect((1...4).contains(text.components(after: ">point ").count - 30))
    }

    @Test func aReportIsOnePage() throws {
        let text = try written(
            Self.models + """
                local model, data = net(), tiny()
                local scores = mr.lwiq.score(model, data, { images = 40 })
                local plan = mr.plan(model, { scores = scores, budget = { params = 0.5 } })
                local report = mr.report {
                    title = "A & B", models = models, scores = scores, plans = { plan }, recipe = { keep = 0.5, out = "it's" },
                    histories = { net():fit(data, { epochs = 2 }) }, script = "halve.lua",
                }
                report:html(path)
                assert(tostring(report):find "A & B" and tostring(report):find "50.00 %%")
                """, "html")
        #expect(text.contains("<h1>A &amp; B</h1>") && text.contains("seed 3 ·"))
        #expect(text.contains("moonrail run halve.lua --keep 0.5 --out &#39;it&#39;\\&#39;&#39;s&#39;"))
        #expect(text.components(after: "<svg").count == 3 && text.components(after: "<table").count == 3)
        #expect(text.contains("stage3.block1.conv2") && text.contains("data-v=\"0.89\"") && text.contains("(-1.00 points)"))
        // One script, its own; and no address anywhere.
        #expect(text.components(after: "<script").count == 1 && !text.contains("://") && !text.contains("src="))
    }

    /// The same charts for a terminal, in 80 columns.
    @Test func chartsAreTextWithoutAPath() throws {
        let text = try run(
            Self.models + """
                local scores = {}
                for i = 1, 55 do scores[i] = { layer = "stage" .. i .. ".block1.conv2", gain = (i - 20) / 100, stderr = 0.01 } end
                mr.rows(scores):plot()
                mr.rows({ { name = "a", value = 0 }, { name = ("long name "):rep(9), value = 0 } }):plot()
                mr.compare(models):plot()
                mr.plan(net(), { policy = "uniform", budget = { params = 0.5 } }):plot()
                net():fit(tiny(), { epochs = 4, validate = tiny() }):plot()
                """)
        let lines = text.split(separator: "\n")
        for line in lines where line.count > 80 { Issue.record("\(line.count) columns: \(line)") }
        #expect(lines.contains { $0.hasPrefix("stage1.block1.conv2 ") && $0.hasSuffix("█│ -19.0 %") })
        #expect(lines.contains { $0.hasPrefix("stage55.block1.conv2") && $0.hasSuffix("█ +35.0 %") })
        #expect(lines.contains { $0.contains("● dense   ○ lwiq   ◆ uniform") } && lines.contains { $0.contains("dense ●") })
        #expect(lines.contains("Parameters kept of each layer"))
        #expect(lines.contains { $0.contains("● training accuracy   ○ validation accuracy") })
        #expect(lines.filter { $0.hasSuffix("└" + String(repeating: "─", count: 60)) }.count == 3)
    }

    static let mistakes = [
        ("mr.rows({ { name = 'a', value = 0 / 0 } }):plot('/tmp/x.svg')", "row 1 has no finite number 'value'"),
        ("mr.rows({ { name = 'a', value = 1 } }):plot('/tmp/x.svg', { titel = 'x' })", "did you mean 'title'"),
        ("mr.compare({ { name = 'a', params = 1 } }):plot('/tmp/x.svg')", "no row has an accuracy"),
        ("mr.report { models = { { name = 'a' } } }", "models[1] has no number 'params'"),
        ("mr.report { }", "needs option 'models'"),
        ("mr.report { modles = {} }", "did you mean 'models'"),
    ]

    @Test(arguments: mistakes) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}

extension String {
    /// The pieces that follow each `mark`.
    func components(after mark: String) -> [Substring] {
        var pieces: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: mark) {
            rest = rest[range.upperBound...]
            pieces.append(rest)
        }
        return pieces
    }
}
