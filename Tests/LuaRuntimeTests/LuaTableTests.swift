import LuaRuntime
import Testing

@Suite struct LuaTableTests {
    @Test func fieldsAndElementsAreReadAndWritten() throws {
        let state = try LuaState()
        let table = try state.table(["name": "conv1", "shape": [32, 16, 3, 3], "gain": 0.5, "on": true])
        try table.set("rank", 8)
        try table.set(["a": 1, "b": ["c": "d"] as LuaFields])
        for i in 1...3 { try table.append("e\(i)") }
        #expect(try table.get("name").string == "conv1")
        #expect(try table.get("shape").table?.array().compactMap(\.integer) == [32, 16, 3, 3])
        #expect(try table.count() == 3 && table.get(2).string == "e2")
        #expect(try table.get("b").table?.get("c").string == "d")
        try table.set("name", LuaValue.nil)
        #expect(try table.fields().map(\.name) == ["a", "b", "gain", "on", "rank", "shape"])
    }

    @Test func metamethodsAreHonouredUnlessRaw() throws {
        let state = try LuaState()
        let table = try #require(
            try state.first(
                """
                return setmetatable({}, { __index = function(_, k) return k .. '!' end, __len = function() return 7 end,
                                          __newindex = function(t, k, v) rawset(t, k, v * 2) end })
                """
            ).table)
        #expect(try table.get("a").string == "a!" && table.rawGet("a").isNil)
        #expect(try table.length() == 7 && table.count() == 0)
        try table.set("b", 4)
        #expect(try table.rawGet("b").integer == 8)
    }

    @Test func errorsInMetamethodsAreThrownWithTheirTraceback() throws {
        let state = try LuaState()
        let table = try #require(try state.first("return setmetatable({}, { __index = function(_, k) error('no ' .. k) end })").table)
        let failure = #expect(throws: LuaFailure.self) { try table.get("a") }
        #expect(failure?.message.hasSuffix("no a") == true && failure?.traceback.contains("chunk:1: in function") == true)
    }

    @Test func keysThatLuaRefusesAreErrors() throws {
        let table = try LuaState().table()
        #expect(throws: LuaFailure.self) { try table.rawSet(Double.nan, 1) }
        #expect(throws: LuaFailure.self) { try table.set(LuaValue.nil, 1) }
    }

    @Test func iterationSeesEveryEntryAndMayClearThem() throws {
        let state = try LuaState()
        let table = try state.table(["a": 1, "b": 2, "c": 3])
        var sum = 0
        try table.forEach { key, value in
            sum += value.integer ?? 0
            try table.rawSet(key, LuaValue.nil)
        }
        #expect(sum == 6)
        #expect(try table.fields().isEmpty)
    }

    @Test func iterationGoesOnFromKeysThatAreNotUTF8() throws {
        let state = try LuaState()
        for script in [
            #"return { ["\xff"] = 1 }"#, #"return { ["\xff"] = 1, ["\u{FFFD}"] = 2, ["\xfe"] = 3 }"#,
            #"return { ["\u{FFFD}"] = 1, ["\xff"] = 2, x = 3, 4, 5 }"#,
        ] {
            let table = try #require(try state.first(script).table)
            var values: [Int] = []
            try table.forEach { _, value in values.append(value.integer ?? 0) }
            #expect(values.sorted() == Array(1...values.count), "\(script)")
            #expect(try values.count == state.first("local n = 0 for _ in pairs((function() \(script) end)()) do n = n + 1 end return n").integer)
        }
    }

    @Test func stringsKeepTheirBytes() throws {
        let state = try LuaState()
        try state.globals.set("bytes", LuaBytes([0, 255, 1]))
        #expect(try state.first("return #bytes == 3 and bytes:byte(2) == 255").boolean == true)
        #expect(try state.first("return 'grün\\0x'").string == "grün\0x")
        #expect(try state.value("").string == "")
    }
}
