import Testing

@Suite(.serialized) struct FormatOptionTests {
    /// Scripts and plans of 0.2.0 say grouping.
    @Test func theOldNameOfFormatsIsUnderstood() throws {
        try run(
            """
            local model = net()
            local plan = mr.plan(model, { budget = { params = 0.6 }, policy = "uniform", grouping = "C|Kh·Kw|O" })
            local same = mr.plan(model, { budget = { params = 0.6 }, policy = "uniform", formats = "C|Kh·Kw|O" })
            assert(plan.params == same.params and plan.formats == "C|Kh·Kw|O")
            -- A plan as that version saved it.
            local file = os.tmpname() .. ".json"
            same:save(file)
            local old = mr.read_json(file)
            old.formats, old.grouping = nil, "auto"
            for _, row in ipairs(old.rows or old) do row.format, row.grouping = nil, row.format end
            assert(model:compress(old).cost.params == plan.params)
            os.remove(file)
            """)
    }

    @Test func formatsHoldByPatternAndSurviveAFile() throws {
        try run(
            """
            local model = net()
            local formats = { "Tucker-2", ["stage3.*"] = "CP", ["stage3.block1.conv2"] = { "low-rank", "CP" } }
            local plan = mr.plan(model, { budget = { params = 0.5 }, formats = formats })
            local seen = {}
            for _, row in ipairs(plan) do if row.ranks then seen[row.format] = (seen[row.format] or 0) + 1 end end
            assert(seen.CP and tostring(plan):find "stage3%.%*: CP", tostring(plan))
            local file = os.tmpname() .. ".json"
            plan:save(file)
            assert(model:compress(mr.read_json(file)).cost.params == plan.params)
            os.remove(file)
            """)
    }

    @Test(arguments: [
        ("formats = 'Tuker-2'", "did you mean \"Tucker-2\""), ("formats = { ['stage9.*'] = 'CP' }", "stage9"),
        ("formats = 3", "must be a name"), ("formats = { ['stage1.*'] = {} }", "must be a name"),
        ("formats = 'CP', grouping = 'auto'", "give formats alone"), ("formats = 'TT-matrix(4x)'", "TT-matrix(4x8|8x4)"),
    ]) func mistakesAreSentences(options: String, words: String) throws {
        let got = message(of: "mr.plan(net(), { budget = { params = 0.5 }, \(options) })")
        #expect(got.contains(words), "\(got)")
    }
}
