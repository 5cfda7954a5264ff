import Basics
import CommandTesting
import Formats
import Glibc
import Testing

/// The report's page in a real browser: Debian's chromium, without a window.
@Suite(.serialized) struct ReportPageTests {
    /// A report on a net of 55 layers.
    private static let script = """
        local mr = require "moonrail"
        mr.seed(3)
        local images, labels = mr.rand(40, 1, 8, 8), {}
        images = mr.cat({ images:slice(1, 1, 20) * 0.2, images:slice(1, 21, 40) + 1 }, 1)
        for i = 1, 40 do labels[i] = i <= 20 and 1 or 2 end
        local data = mr.data.from_tensors(images, mr.tensor(labels, { dtype = "int64" }), { batch = 10 })
        local model = mr.zoo.resnet { depth = 56, image = { 1, 8, 8 }, classes = 2, seed = 5 }
        local scores = mr.lwiq.score(model, data, { images = 40 })
        local models, plans = { { name = "dense", params = model.cost.params, macs = model.cost.macs, accuracy = 0.93 } }, {}
        for i, keep in ipairs { 0.8, 0.6, 0.5, 0.4, 0.3 } do
            plans[i] = mr.plan(model, { scores = scores, budget = { params = keep }, policy = "lwiq" })
            models[i + 1] = {
                name = ("keep %.0f %%"):format(100 * keep), policy = i % 2 == 0 and "lwiq" or "uniform", params = plans[i].params,
                macs = plans[i].macs, accuracy = 0.94 - 0.03 / keep / 4,
            }
        end
        local history = model:fit(data, { epochs = 3, validate = data })
        mr.report {
            title = "55 layers", models = models, scores = scores, plans = { plans[2] }, histories = { history }, recipe = { keep = 0.6 },
        }:html(arg[1] .. "/report.html")
        """

    /// Looks at the page as a reader does, and leaves what it found behind it: charts whose texts overlap or leave their
    /// drawing, the contrast of texts with the paper, and the rows of a table after its heading was pressed twice.
    private static let inspection = """
        <pre id="found"></pre><script>
        const found = { overlaps: [], outside: [], charts: 0, contrast: 99, wide: document.documentElement.scrollWidth > innerWidth }
        const luminance = colour => {
          const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
          return 0.2126 * r + 0.7152 * g + 0.0722 * b
        }
        const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort(); return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05) }
        const paper = getComputedStyle(document.body).backgroundColor
        found.paper = luminance(paper)
        for (const chart of document.querySelectorAll("svg.chart")) {
          found.charts++
          const frame = chart.getBoundingClientRect(), boxes = []
          for (const text of chart.querySelectorAll("text")) {
            const box = text.getBoundingClientRect()
            if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) found.outside.push(text.textContent)
            for (const other of boxes)
              if (box.left < other.box.right - 1 && other.box.left < box.right - 1 && box.top < other.box.bottom - 2 && other.box.top < box.bottom - 2)
                found.overlaps.push(text.textContent + " | " + other.text.textContent)
            boxes.push({ box, text })
            found.contrast = Math.min(found.contrast, contrast(getComputedStyle(text).fill, paper))
          }
        }
        for (const cell of document.querySelectorAll("td,th,p,li,pre")) found.contrast = Math.min(found.contrast, contrast(getComputedStyle(cell).color, paper))
        const button = [...document.querySelectorAll("th button")].find(b => b.textContent === "parameters")
        const column = () => [...button.closest("table").tBodies[0].rows].map(r => Number(r.cells[button.parentNode.cellIndex].dataset.v))
        found.aligned = [...document.querySelectorAll("td.n")].every(cell =>
          getComputedStyle(cell.closest("table").tHead.rows[0].cells[cell.cellIndex]).textAlign === getComputedStyle(cell).textAlign)
        button.click(); found.up = column(); button.click(); found.down = column()
        document.getElementById("found").textContent = "FOUND" + JSON.stringify(found) + "END"
        </script></body>
        """

    @Test(.enabled(if: Peer.chromium.isInstalled, "\(Peer.chromium.absence)"), arguments: ["light", "dark"])
    func aReaderCanReadAndSortIt(scheme: String) throws {
        Peer.chromium.began("a report in \(scheme) colours")
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try AtomicFile.write(directory + "/report.lua", text: Self.script)
        let made = try BuiltCommand.run(["run", "--quiet", directory + "/report.lua", directory], patienceSeconds: 120)
        try #require(made.status == 0, "\(made.errors)")
        let page = String(decoding: try AtomicFile.read(directory + "/report.html"), as: UTF8.self)
        #expect(page.contains("</body>"))
        try AtomicFile.write(directory + "/inspected.html", text: page.replacing("</body>", with: Self.inspection))
        let browser = try BuiltCommand.run(
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000",
                "--user-data-dir=\(directory)-profile", "--blink-settings=preferredColorScheme=\(scheme == "dark" ? 0 : 1)",
                "--dump-dom", "file://\(directory)/inspected.html",
            ], environment: ["HOME": directory], program: Peer.browser, patienceSeconds: 120)
        _ = try? BuiltCommand.run(["-rf", directory + "-profile"], program: "/bin/rm")
        let shown = browser.output
        let start = try #require(shown.lastRange(of: "FOUND{"), "the browser showed: \(shown.suffix(300)) \(browser.errors.suffix(300))")
        let end = try #require(shown[start...].firstRange(of: "}END"))
        let text = String(shown[start..<end.lowerBound]) + "}"
        let found = try JSONValue.parse(Array(text.replacing("&amp;", with: "&").replacing("&lt;", with: "<").replacing("&gt;", with: ">").utf8))
        let paper = try #require(found["paper"]?.number)
        #expect(scheme == "dark" ? paper < 0.1 : paper > 0.9)
        #expect(found["charts"]?.integer == 3 && found["wide"]?.bool == false && found["aligned"]?.bool == true)
        let texts = ["overlaps", "outside"].flatMap { found[$0]?.array ?? [.string("no \($0)")] }.compactMap(\.string)
        #expect(texts == [])
        // WCAG's AA for text.
        let contrast = try #require(found["contrast"]?.number)
        #expect(contrast >= 4.5)
        let up = (found["up"]?.array ?? []).compactMap(\.number)
        let down = (found["down"]?.array ?? []).compactMap(\.number)
        #expect(up.count == 6 && up == up.sorted() && down == up.reversed())
    }
}

extension String {
    /// Where the text behind the last `FOUND` begins, at its brace.
    fileprivate func lastRange(of mark: String) -> String.Index? {
        ranges(of: mark).last.map { index(before: $0.upperBound) }
    }
}
