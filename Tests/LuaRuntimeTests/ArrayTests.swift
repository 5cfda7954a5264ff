import Basics
import LuaRuntime
import Testing

/// Lengths of arrays come from the elements that are there.
@Suite struct ArrayTests {
    /// A table whose border is `last` though it has a few dozen elements: those at powers of two, and `last`.
    static func border(_ last: Int) -> String {
        """
        local t = {}
        do
            local s, i = { "return {" }, 1
            while i > 0 and i < \(last) do s[#s + 1] = ("[%d]=1,"):format(i) i = i << 1 end
            s[#s + 1] = "[\(last)]=1}"
            t = load(table.concat(s))()
            assert(#t == \(last), #t)
        end

        """
    }

    /// A state with a function for every way in which an array comes in.
    private static func state() throws -> LuaState {
        let state = try LuaState.forTests()
        try state.define("integers") { call in try call.integers(1, "shape") }
        try state.define("numbers") { call in try call.numbers(1, "shape") }
        try state.define("strings") { call in try call.strings(1, "shape") }
        try state.define("values") { call in try call.values(in: 1, "shape").count }
        try state.define("count") { call in try call.table(1, "shape").count("count: shape") }
        try state.define("array") { call in try call.table(1, "shape").array("array: shape").count }
        try state.define("option") { call in
            try call.options(1, known: ["shape"]).optionalIntegers("shape")?.count ?? 0
        }
        try state.define("positional") { call in
            try call.options(1, known: [], allowsPositional: true).positional().count
        }
        return state
    }

    private static let readers = [
        "integers(t)", "numbers(t)", "strings(t)", "values(t)", "count(t)", "array(t)", "option { shape = t }",
        "positional(t)",
    ]

    @Test(arguments: [1 << 34, 1 << 40, 1 << 58, 1 << 62, .max])
    func bordersAreNotBelieved(last: Int) throws {
        let state = try Self.state()
        for reader in Self.readers {
            let failure = try state.failure(Self.border(last) + reader)
            #expect(failure.code == "lua.argument", "\(reader)")
            #expect(failure.message.contains("has an element at \(last), but none at 3"), "\(failure.message)")
            #expect(failure.message.contains("shape") || reader == "positional(t)", "\(failure.message)")
        }
    }

    @Test(arguments: [
        ("{ 1, 2, nil, 4 }", "at 4, but none at 3"), ("{ 1, 2, 3, [5] = 5 }", "at 5, but none at 4"),
        ("{ [0] = 1, 1 }", "at 0;"), ("{ [-1] = 1 }", "at -1;"), ("{ [2] = 1 }", "at 2, but none at 1"),
        ("{ [math.mininteger] = 1, 1 }", "at -9223372036854775808;"),
    ])
    func tablesWithOtherIntegerKeysAreNoArrays(constructor: String, words: String) throws {
        let state = try Self.state()
        for reader in Self.readers {
            let failure = try state.failure("local t = \(constructor) " + reader)
            #expect(failure.code == "lua.argument" && failure.message.contains(words), "\(reader): \(failure.message)")
        }
    }

    @Test func arraysAreReadWhereverTheirElementsLie() throws {
        let state = try Self.state()
        // In the array part, in the hash part, and in both; with names beside them, and with other values removed.
        for constructor in [
            "{ 1, 2, 3 }", "{ [3] = 3, [2] = 2, [1] = 1 }", "{ 1, 2, [3] = 3 }", "{ 1.0, 2, 3.0, 4, 5 }, t[5], t[4]",
        ] {
            let script =
                constructor.contains("t[5]")
                ? "local t = { 1.0, 2, 3.0, 4, 5 } t[5], t[4] = nil, nil " : "local t = \(constructor) "
            #expect(try state.first(script + "return table.concat(integers(t), ' ')").string == "1 2 3")
            #expect(try state.first(script + "return #numbers(t), #t").integer == 3)
            #expect(try state.first(script + "t.name = 'x' return count(t) + array(t) + values(t)").integer == 9)
        }
        #expect(try state.first("return #integers {} + #strings {} + count {} + array { n = 1 }").integer == 0)
        #expect(try state.first("return table.concat(strings { 'a', 'b\\0' }, '-')").string == "a-b\0")
    }

    @Test func elementsOfAnotherTypeAreNamed() throws {
        let state = try Self.state()
        #expect(
            try state.failure("integers { 1, 2.5 }").message
                == "integers: argument 1 (shape[2]) must be an element of an array of integers, got a number (2.5)")
        #expect(try state.failure("integers { '1' }").message.contains("shape[1]) must be an element of an array of integers"))
        #expect(try state.failure("numbers { 1, 2, {} }").message.contains("shape[3]) must be an element of an array of numbers, got a table"))
        #expect(try state.failure("strings { 'a', 1 }").message.contains("shape[2]) must be an element of an array of strings"))
        #expect(try state.failure("integers()").message == "integers: argument 1 (shape) must be an array of integers, got nothing")
    }

    @Test func metamethodsDoNotLengthen() throws {
        let state = try Self.state()
        let endless = "local t = setmetatable({}, { __len = function() return math.maxinteger end, __index = function() return 1 end }) "
        #expect(try state.first(endless + "return #integers(t) + count(t) + array(t)").integer == 0)
    }

    @Test func appendingAfterTheLastIntegerIsAnError() throws {
        let state = try LuaState.forTests()
        let table = try #require(try state.first(Self.border(.max) + "return t").table)
        #expect(throws: ArgumentFailure.self) { try table.append(1) }
    }
}
