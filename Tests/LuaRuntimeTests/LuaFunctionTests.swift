import Basics
import LuaRuntime
import Testing

@Suite struct LuaFunctionTests {
    @Test func argumentsAndResultsCross() throws {
        let state = try LuaState.forTests()
        #expect(try state.first("return add(40, 2.0)").integer == 42)
        try state.define("swap") { call in
            try call.push(call.value(2))
            try call.push(call.value(1))
        }
        #expect(try state.run("return swap('a', 1)").map { $0.string ?? "\($0.integer ?? 0)" } == ["1", "a"])
        #expect(try state.first("return apply(function(a, b) return b end, 1, 'x')").string == "x")
    }

    @Test(arguments: [
        ("add('x', 1)", "add: argument 1 (a) must be an integer, got a string (\"x\")"),
        ("add(1)", "add: argument 2 (b) must be an integer, got nothing"),
        ("add(1.5, 1)", "add: argument 1 (a) must be an integer, got a number (1.5)"),
        ("add(counter(), 1)", "add: argument 1 (a) must be an integer, got a Counter"),
        ("apply(3)", "apply: argument 1 (f) must be a function, got a number (3)"),
        ("add('1', 1)", "add: argument 1 (a) must be an integer, got a string (\"1\")"),
    ])
    func wrongArgumentsAreNamed(text: String, message: String) throws {
        let failure = try LuaState.forTests().failure(text)
        #expect(failure.message == message && failure.code == "lua.argument")
    }

    @Test func resultsAreNotTakenForMissingArguments() throws {
        let state = try LuaState.forTests()
        try state.define("f") { call in
            try call.push("result")
            try call.push(call.isNil(1))
            try call.push(call.optionalString(1, "x") ?? "absent")
        }
        #expect(try state.run("return f()").compactMap(\.string) == ["result", "absent"])
    }

    @Test func arraysAreRead() throws {
        let state = try LuaState.forTests()
        try state.define("sum") { call in try call.numbers(1, "values").reduce(0, +) }
        #expect(try state.first("return sum { 1, 2.5, 3 }").number == 6.5)
        #expect(
            try state.failure("sum { 1, 'x' }").message
                == "sum: argument 1 (values[2]) must be an element of an array of numbers, got a string (\"x\")")
    }

    @Test func functionsWorkInsideCoroutines() throws {
        let state = try LuaState.forTests()
        #expect(
            try state.first(
                """
                local co = coroutine.wrap(function()
                  local x = add(1, 2)
                  coroutine.yield(x)
                  local y = apply(function(v) return add(v, 10) end, x)
                  coroutine.yield(y)
                  return apply(function() return coroutine.wrap(function() coroutine.yield(add(1, 1)) end)() end)
                end)
                return co() * 10000 + co() * 100 + co()
                """
            ).integer == 31302)
    }

    @Test func yieldingAcrossSwiftIsACleanError() throws {
        let state = try LuaState.forTests()
        #expect(
            try state.first(
                """
                local co = coroutine.create(function() apply(coroutine.yield, 1) end)
                local ok, message = coroutine.resume(co)
                return not ok and tostring(message)
                """
            ).string?.contains("attempt to yield across a C-call boundary") == true)
    }

    @Test func manyReferencesAreGivenBack() throws {
        let state = try LuaState.forTests()
        try state.run("function f() end")
        for _ in 0..<10 { _ = try state.globals.get("f") }
        state.collect()
        let before = state.heapByteCount
        for _ in 0..<20_000 { _ = try state.globals.get("f") }
        state.collect()
        #expect(state.heapByteCount < before + 10_000)
    }
}
