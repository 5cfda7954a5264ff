import Testing

/// Rows in files: what is written comes back as what it was, and what cannot is refused.
@Suite(.serialized) struct TableFileTests {
    private func path(_ ending: String) -> String { "/tmp/moonrail-table-\(UInt64.random(in: 0 ... .max)).\(ending)" }

    private static let same = """
        local function same(a, b)
            if a ~= a then return b ~= b end
            return a == b and math.type(a) == math.type(b)
        end

        """

    /// One column of everything, alone and beside another.
    @Test(arguments: ["csv", "json"]) func valuesComeBackAsWhatTheyWere(_ ending: String) throws {
        let path = path(ending)
        try run(
            Self.same + """
                local values = {
                    0 / 0, 1 / 0, -1 / 0, 0.1, 1 / 3, -0.0, 2.0, 1e15, 1e300, 5e-324, 123456789.125, 0, -7, 2 ^ 53 | 0, (2 ^ 53 | 0) + 1,
                    math.maxinteger, math.mininteger, true, false, "007", "1e5", "0x10", "nan", "inf", "-Infinity", "true", "12345678901234567890",
                    "-0", ".5", "5.", "+1", " 5", "", " ", ",", '"', "a \\"b\\"", "two\\nlines", "two\\r\\nlines", "\\r", "é", "Nan", "None", "1,5",
                    "1_000", "\\xEF\\xBB\\xBFmark",
                }
                local list = {}
                for i, value in ipairs(values) do list[i] = { value = value, place = i } end
                mr.rows(list):save "\(path)"
                local back = mr.read_\(ending) "\(path)"
                assert(#back == #values)
                for i, value in ipairs(values) do
                    assert(same(value, back[i].value) and back[i].place == i, ("%d: %q came back as %q"):format(i, value, back[i].value))
                end
                """)
    }

    @Test func columnsThatTheFirstRowLacksAreThere() throws {
        let path = path("csv")
        try run(
            """
            local list = mr.rows { { model = "dense" }, { model = "half", accuracy = 0.93 }, { accuracy = 0.5, note = "x" } }
            assert(list:csv() == "accuracy,model,note\\n,dense,\\n0.93,half,\\n0.5,,x\\n", list:csv())
            assert(tostring(list):find "accuracy +model +note")
            near(list:mean()[1].accuracy, 0.715)
            -- What is read keeps its columns in their order, and shows those that are added.
            mr.write_text("\(path)", "b,a\\n1,2\\n")
            local back = mr.read_csv "\(path)"
            back[1].score = 0.5
            assert(back:csv() == "b,a,score\\n1,2,0.5\\n" and back:filter(function() return true end):csv() == back:csv(), back:csv())
            """)
    }

    /// As other programs write them: with byte order marks, blank lines, carriage returns, padding, columns without names.
    @Test func filesOfOthersAreRead() throws {
        let path = path("csv")
        try run(
            """
            local function read(text)
                mr.write_text("\(path)", text)
                return mr.read_csv "\(path)"
            end
            local back = read "\\xEF\\xBB\\xBFpolicy,keep\\nuniform,0.5\\n"
            assert(back[1].policy == "uniform" and back[1].keep == 0.5)
            assert(read("\\xEF\\xBB\\xBF\\"policy\\"\\nuniform\\n")[1].policy == "uniform")
            back = read "\\n\\na,b\\n\\n1,2\\n  \\n\\r\\n3,4\\n\\n\\n"
            assert(#back == 2 and back[2].b == 4)
            back = read "a,b\\r\\n1,x\\r\\n,2\\r\\n"
            assert(#back == 2 and back[1].a == 1 and back[1].b == "x" and back[2].a == nil and back[2].b == 2)
            assert(read("a,b\\r1,2\\r")[1].b == 2)
            back = read "a,b,,\\n 1,\\t-2.5e-3 ,,\\n"
            assert(back[1].a == 1 and back[1].b == -0.0025)
            back = read "007,id,,NaN\\n1,00123456789012345678901,,-inf\\n"
            assert(back[1]["007"] == 1 and back[1].id == "00123456789012345678901" and back[1].NaN == -1 / 0)
            assert(#read "" == 0 and #read "\\n" == 0 and #read "a,b\\n" == 0)
            assert(mr.rows({}):csv() == "\\n" and tostring(read "a,b\\n"):find "a")
            mr.write_text("\(path)", '\\xEF\\xBB\\xBF{"a": [NaN, Infinity, -Infinity, 9223372036854775807]}')
            local list = mr.read_json("\(path)").a
            assert(list[1] ~= list[1] and list[2] == 1 / 0 and list[3] == -1 / 0 and list[4] == math.maxinteger)
            """)
    }

    private static let refused = "/tmp/moonrail-table-refused.txt"
    static let refusals: [(String, String)] = [
        ("read 'a,b\\n1,2,3\\n'", "row 1 has 3 cells, but the heading 2"),
        ("read 'a\\n\"x'", "a quote is never closed"),
        ("read 'a\\n\"x\"y\\n'", "text follows a closing quote"),
        ("read 'a,b,a\\n1,2,3\\n'", "columns 1 and 3 are both called 'a'"),
        ("read 'a,,\\n1,2,3\\n'", "row 1 has a value in column 3, which has no name"),
        ("read '\\xFF\\xFEa\\0'", "is UTF-16; save it as UTF-8"),
        ("mr.read_csv '/nowhere.csv'", "/nowhere.csv"),
        ("mr.rows({ { 1, 2 } }):csv()", "row 1 has the key 1; columns have names"),
        ("mr.rows({ { a = 1 }, { a = 1, [0.5] = 2 } }):csv()", "row 2 has the key 0.5"),
        ("mr.rows({ { a = 1, [true] = 2 } }):csv()", "row 1 has the key true"),
        ("mr.rows({ { a = { b = 1 } } }):csv()", "row 1: 'a' is a table with names"),
        ("mr.rows({ { a = 1 }, {} }):csv()", "row 2 has no value"),
        ("mr.rows({ { a = 1, [0.5] = 2 } }):save '/tmp/never.json'", "the key 0.5 has no JSON form"),
        ("pcall(read, '{\"id\": 12345678901234567890}') mr.read_json '\(refused)'", "column 8: the whole number 12345678901234567890 has more digits"),
        ("mr.rows({ { [3] = 2 } }):save '/tmp/never.json'", "3"),
    ]

    @Test(arguments: refusals) func whatCannotComeBackIsRefused(_ script: String, _ expected: String) {
        let got = message(
            of: """
                local function read(text)
                    mr.write_text("\(Self.refused)", text)
                    return mr.read_csv "\(Self.refused)"
                end

                """ + script)
        #expect(got.contains(expected), "\(got)")
    }

    /// Where a script asks for decimal commas, files keep the point. Without such a locale here nothing is asked for.
    @Test func filesHaveDecimalPoints() throws {
        let path = path("svg")
        try run(
            """
            if not os.setlocale "de_DE.UTF-8" and not os.setlocale "fr_FR.UTF-8" then return end
            local list = mr.rows { { name = "a", v = 0.5 }, { name = "b", v = 0.25 } }
            local done, text = pcall(list.csv, list)
            list:plot("\(path)", { key = "v" })
            os.setlocale "C"
            assert(done and text == "name,v\\na,0.5\\nb,0.25\\n", text)
            assert(not mr.read_text("\(path)"):find '="%d+,%d+"')
            """)
    }
}
