import Console
import LuaRuntime
import Testing

@Suite struct ValuePrinterTests {
    private func shown(_ expression: String) throws -> String {
        let state = try LuaState()
        return try ValuePrinter(state).text(of: state.run("return " + expression))
    }

    @Test(arguments: [
        ("nil", "nil"), ("1", "1"), ("1.5", "1.5"), ("true", "true"), ("1, 'a'", "1\t\"a\""),
        (#"'say "hi"\n\1'"#, #""say \"hi\"\n\001""#),
        ("{}", "{}"), ("{ 1, 'two', { 3 } }", #"{ 1, "two", { 3 } }"#),
        ("{ b = 2, a = 1, ['odd key'] = 3, ['end'] = 4, [true] = 5 }", #"{ ["end"] = 4, ["odd key"] = 3, a = 1, b = 2, [true] = 5 }"#),
        ("{ print }", "{ function }"),
        ("{ { { { 'deep' } } } }", "{ { { { … } } } }"),
        ("setmetatable({}, { __tostring = function() return 'mine' end })", "mine"),
        ("{ setmetatable({}, { __tostring = function() return 'a\\nb' end }) }", "{ ‹a …› }"),
    ])
    func shows(expression: String, text: String) throws {
        #expect(try shown(expression) == text)
    }

    @Test func cyclesEnd() throws {
        #expect(try shown("(function() local t = {}; t.self = t; return t end)()") == "{ self = { ‹cycle› } }")
    }

    @Test func longTablesAreCut() throws {
        #expect(try shown("(function() local t = {}; for i = 1, 1050 do t[i] = i end; return t end)()").contains("… 1,010 more"))
    }

    @Test func wideTablesTakeALineAnEntry() throws {
        let text = try shown("{ a = ('x'):rep(60), b = ('y'):rep(60) }")
        #expect(text == "{\n  a = \"\(String(repeating: "x", count: 60))\",\n  b = \"\(String(repeating: "y", count: 60))\"\n}")
    }

    @Test func errorsInToStringAreThrown() throws {
        #expect(throws: LuaFailure.self) { try shown("setmetatable({}, { __tostring = function() error('no') end })") }
    }
}

@Suite struct ValueDescriptionTests {
    /// Names of every length, so that some line ends exactly at the edge.
    @Test func linesFitEightyColumns() throws {
        let state = try LuaState()
        try state.run("t = {} for n = 1, 24 do for _, letter in ipairs { 'a', 'b', 'c' } do t[letter:rep(n)] = function() end end end")
        let text = try #require(ValueDescription(state).text(of: "t"))
        let lines = text.split(separator: "\n")
        #expect(lines.count > 10 && lines.allSatisfy { $0.count <= 80 })
        #expect(lines.contains { $0.count == 80 || $0.count == 79 })
    }
}
