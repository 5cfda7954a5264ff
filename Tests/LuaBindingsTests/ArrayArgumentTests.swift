import Testing

/// Tables that are no arrays, and arrays that stand for more than there is.
@Suite struct ArrayArgumentTests {
    /// A table of 64 elements whose border is the largest integer.
    private static let border = """
        local s = { "return {" }
        for i = 0, 62 do s[#s + 1] = ("[%d]=1,"):format(1 << i) end
        local border = load(table.concat(s) .. "[math.maxinteger]=1}")()
        assert(#border == math.maxinteger)
        local function refused(f, ...)
            local ok, problem = pcall(f, ...)
            assert(not ok and problem.message:find("element at 9223372036854775807, but none at 3", 1, true), tostring(problem))
        end

        """

    @Test func everyFunctionThatTakesAnArrayRefusesABorder() throws {
        try run(
            Self.border + """
                local x = mr.ones(2, 2)
                for _, f in ipairs { mr.zeros, mr.ones, mr.randn, mr.rand, mr.tensor, mr.cat, mr.json } do refused(f, border) end
                for _, name in ipairs { "reshape", "permute", "expand", "rows" } do refused(x[name], x, border) end
                refused(mr.tensor, { { 1 }, border })
                refused(mr.tt.from_cores, border)
                refused(mr.tt.decompose, mr.ones(2, 2), { ranks = border })
                refused(mr.tt.convolution, mr.ones(2, 2, 1, 1), { ranks = 1, stride = border })
                refused(mr.zoo.mlp, { image = border, classes = 2 })
                refused(mr.data.from_tensors, mr.ones(2, 1, 2, 2), mr.ones(2), { mean = border })
                refused(mr.write_npz, "x.npz", border)
                refused(mr.plan, net(), { budget = { params = 0.5 }, policy = "uniform", freeze = border })
                refused(mr.plan, net(), { budget = { params = 0.5 }, policy = "uniform", min_rank = border })
                refused(mr.plan, net(), { budget = { params = 0.5 }, policy = "uniform", scores = border })
                local model = net()
                refused(model.compress, model, border)
                """)
    }

    @Test func rowsOfABorderAreThoseBeforeTheFirstGap() throws {
        try run(
            Self.border + """
                local list = {}
                for i in pairs(border) do list[i] = { name = "r" .. i, value = i } end
                local rows = mr.rows(list)
                assert(#rows:sort "value" == 2 and #rows:top(5) == 2 and #rows:top(1) == 1)
                assert(rows:mean()[1].count == 2 and rows:mean()[1].value == 1.5)
                assert(not pcall(rows.top, rows, -1) and not pcall(rows.top, rows, 0 / 0))
                """)
    }

    @Test func tablesThatAreRowsOfEachOtherTakeNoMoreThanTheLimitOfMemory() throws {
        try run(
            """
            local t = {}
            for i = 1, 100 do t[i] = 1 end
            for _ = 1, 9 do
                local outer = {}
                for i = 1, 100 do outer[i] = t end
                t = outer
            end
            local ok, problem = pcall(mr.tensor, t)  -- 100^10 elements
            assert(not ok and problem.code:find "^tensor", tostring(problem))
            ok, problem = pcall(mr.json, { t })
            assert(not ok and problem.message:find("more than 4194304 values", 1, true), tostring(problem))
            local circle = {}
            circle[1], circle[2] = circle, circle
            ok, problem = pcall(mr.json, circle)
            assert(not ok and problem.message:find("a table in itself has no JSON form", 1, true), tostring(problem))
            assert(not pcall(mr.tensor, circle))
            """)
    }

    @Test func textThatIsNotUTF8ComesBackFromJSON() throws {
        try run(
            """
            -- JSON is UTF-8: a character for private use stands for the byte.
            assert(mr.json { ["\\xff"] = 1 } == '{"\\u{10FFFF}":1}')
            assert(mr.json { ["\\xff"] = 1, ["\\u{FFFD}"] = 1, x = 2 }:find '"x":2')
            local path = os.tmpname()
            mr.write_json(path, { "a\\xff\\xe3" })
            assert(mr.read_json(path)[1] == "a\\xff\\xe3")
            os.remove(path)
            """)
    }

    @Test func integersOfTablesAreExact() throws {
        try run(
            """
            local x = mr.tensor({ { math.mininteger, math.maxinteger }, { 1 << 53, (1 << 53) + 1 } }, { dtype = "int64" })
            local elements = x:totable()
            assert(elements[1] == math.mininteger and elements[2] == math.maxinteger and elements[4] == (1 << 53) + 1)
            assert(mr.tensor((1 << 60) + 1, { dtype = "int64" }):item() == (1 << 60) + 1)
            assert(mr.tensor({ 2.7, -2.7 }, { dtype = "int64" }):totable()[2] == -2)
            for _, bad in ipairs { { 0 / 0 }, { 1e300 }, { 1, 2 ^ 63 } } do assert(not pcall(mr.tensor, bad, { dtype = "int64" })) end
            assert(not pcall(mr.tensor, { 256 }, { dtype = "uint8" }) and mr.tensor({ 255 }, { dtype = "uint8" }):item() == 255)
            """)
    }
}
