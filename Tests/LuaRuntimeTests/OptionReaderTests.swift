import LuaRuntime
import Testing

@Suite struct OptionReaderTests {
    private func state() throws -> LuaState {
        let state = try LuaState.forTests()
        try state.define("mr.fit") { call in
            let options = try call.options(1, known: ["epochs", "lr", "name", "verbose", "budget", "sizes", "words", "model", "policy"])
            let budget = try options.nested("budget", known: ["params", "macs"])
            return LuaFields([
                ("epochs", try options.integer("epochs", default: 3)), ("lr", try options.number("lr", default: 0.5)),
                ("verbose", try options.boolean("verbose", default: false)), ("name", try options.optionalString("name")),
                ("params", try budget.number("params", default: 1)), ("sizes", try options.optionalNumbers("sizes") ?? []),
                ("words", try options.optionalStrings("words") ?? []),
                ("model", try options.optionalObject("model", as: Counter.self)),
                ("policy", try options.choice("policy", among: ["uniform", "lwiq"], default: "lwiq")),
            ])
        }
        try state.run("fit = _G['mr.fit']")
        return state
    }

    @Test func absentOptionsHaveTheirDefaults() throws {
        let state = try state()
        for text in ["return fit()", "return fit(nil)", "return fit {}"] {
            let result = try #require(try state.first(text).table)
            #expect(try result.get("epochs").integer == 3 && result.get("lr").number == 0.5)
            #expect(try result.get("name").isNil && result.get("params").number == 1)
        }
    }

    @Test func givenOptionsAreRead() throws {
        let state = try state()
        let result = try #require(
            try state.first(
                "return fit { epochs = 5, name = 'x', budget = { params = 0.5 }, sizes = { 1, 2 }, words = { 'a' }, model = counter(3) }"
            ).table)
        #expect(try result.get("epochs").integer == 5 && result.get("params").number == 0.5)
        #expect(try result.get("sizes").table?.count() == 2 && result.get("words").table?.get(1).string == "a")
        #expect(try result.get("model").object?.object(as: Counter.self)?.value == 3)
    }

    @Test(arguments: [
        ("fit { budgt = {} }", "mr.fit: unknown option 'budgt' (did you mean 'budget'?)"),
        ("fit { zzzzzz = 1 }", "mr.fit: unknown option 'zzzzzz'"),
        ("fit { lr = 'fast' }", "mr.fit: option 'lr' must be a number, got a string (\"fast\")"),
        ("fit { budget = { param = 1 } }", "mr.fit: unknown option 'budget.param' (did you mean 'params'?)"),
        ("fit { budget = { params = true } }", "mr.fit: option 'budget.params' must be a number, got true"),
        ("fit { sizes = { 1, 'x' } }", "mr.fit: option 'sizes[2]' must be one of the numbers, got a string (\"x\")"),
        ("fit { 1 }", "mr.fit: options have names, got the key 1"),
        ("fit(3)", "mr.fit: argument 1 (options) must be a table, got a number (3)"),
        ("fit { model = stranger() }", "mr.fit: option 'model' must be a Counter, got a Stranger"),
        ("fit { policy = 'lwig' }", "mr.fit: option 'policy' must be one of uniform, lwiq, got 'lwig' (did you mean 'lwiq'?)"),
    ])
    func mistakesAreNamed(text: String, message: String) throws {
        #expect(try state().failure(text).message == message)
    }
}
