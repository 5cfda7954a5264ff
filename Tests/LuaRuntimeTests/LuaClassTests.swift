import Basics
import LuaRuntime
import Testing

@Suite struct LuaClassTests {
    @Test(arguments: [
        "return counter(4):plus(2) == 6", "return counter(4).value == 4", "return counter(4).twice == 8",
        "local c = counter(1) c.value = 7 return c.value == 7", "return (counter(1) + counter(2)).value == 3",
        "return counter(3)(5) == 15", "return #counter(9) == 9", "return tostring(counter(2)) == 'Counter(2)'",
        "return counter(10)[5] == 15", "local c = counter(1) c:increase_() return c.value == 2",
        "return getmetatable(counter()) == 'Counter'", "return not pcall(setmetatable, counter(), {})",
        "return counter(1) ~= counter(1)", "local c = counter() return c == c", "return type(counter()) == 'userdata'",
    ])
    func membersAndOperators(text: String) throws {
        #expect(try LuaState.forTests().first(text).boolean == true)
    }

    @Test(arguments: [
        ("counter():pluss(1)", "lua.unknownMember", "Counter has no member 'pluss' (did you mean 'plus'?)"),
        ("counter().plus(1, 2)", "lua.argument", "Counter:plus: self must be a Counter, got a number (1)"),
        ("counter().plus(stranger(), 2)", "lua.argument", "Counter:plus: self must be a Counter, got a Stranger"),
        ("counter().plus()", "lua.argument", "Counter:plus: self must be a Counter, got nothing"),
        ("counter():plus('x')", "lua.argument", "Counter:plus: argument 1 (amount) must be an integer, got a string (\"x\")"),
        ("counter().twice = 3", "lua.readOnly", "Counter.twice cannot be set"),
        ("counter().value = 'x'", "lua.argument", "Counter.value: argument 1 (value) must be an integer, got a string (\"x\")"),
        ("counter().vallue = 3", "lua.unknownMember", "Counter has no member 'vallue' (did you mean 'value'?)"),
        ("return counter() + 1", "lua.argument", "Counter '+': argument 2 (b) must be a Counter, got a number (1)"),
        ("local c do local d <close> = counter() c = d end return c:plus(1)", "lua.closed", "Counter:plus: Counter was closed"),
        ("local c do local d <close> = counter() c = d end return c.value", "lua.closed", "Counter.value: Counter was closed"),
    ])
    func mistakesAreNamed(text: String, code: String, message: String) throws {
        let failure = try LuaState.forTests().failure(text)
        #expect(failure.message == message && failure.code == code)
    }

    @Test func objectsAreReleasedOnce() throws {
        let census = Counter.Census()
        do {
            let state = try LuaState.forTests(census: census)
            try state.run(
                """
                for i = 1, 100 do local c <close> = counter(i) end
                for i = 1, 100 do counter(i) end
                keep = counter(1)
                """)
            state.collect()
            #expect(census.alive == 1)
        }
        #expect(census.alive == 0)
    }

    @Test func anObjectPushedTwiceIsEqualToItself() throws {
        let state = try LuaState.forTests()
        let counter = Counter(5)
        try state.globals.set("a", counter)
        try state.globals.set("b", counter)
        #expect(try state.first("return a == b and not rawequal(a, b)").boolean == true)
        #expect(try state.globals.get("a").object?.object(as: Counter.self) === counter)
    }

    @Test func aMutationCannotBeReentered() throws {
        let state = try LuaState.forTests()
        try state.run("c = counter(1)")
        #expect(try state.failure("c:increase_(function() c:increase_() end)").code == "lua.busy")
        #expect(try state.failure("c:increase_(function() return c.value end)").code == "lua.busy")
        #expect(
            try state.failure("c:each(function() c:increase_() end)").message
                == "Counter:increase_: Counter is in use by a function that has not returned yet, or was given to a method that changes it")
        #expect(try state.first("local n = 0 c:each(function() c:each(function() n = n + c.value end) end) return n > 0").boolean == true)
        #expect(try state.first("c:increase_() return c.value > 1").boolean == true)
    }

    @Test func closingAnObjectInUseKeepsItAliveForItsCaller() throws {
        let state = try LuaState.forTests()
        #expect(
            try state.first(
                """
                local ok
                do local c <close> = counter(3) ok = apply(function() return c:plus(1) end) end
                return ok
                """
            ).integer == 4)
    }

    @Test func membersAreListed() throws {
        let state = try LuaState.forTests()
        let members = try state.members(of: state.first("return counter()"))
        #expect(members.map(\.name) == ["each", "increase_", "plus", "twice", "value"])
        #expect(members.first { $0.name == "twice" }?.kind == .property)
        let inherited = try state.members(of: state.first("return setmetatable({ a = 1 }, { __index = { f = print } })"))
        #expect(inherited == [LuaMember(name: "a", kind: .value), LuaMember(name: "f", kind: .method)])
        #expect(try state.members(of: .string("x")).contains(LuaMember(name: "upper", kind: .method)))
    }

    @Test func anUnregisteredClassIsRefused() throws {
        final class Unknown: LuaObjectConvertible {}
        let state = try LuaState()
        #expect(throws: ArgumentFailure.self) { try state.globals.set("x", Unknown()) }
    }

    @Test func chargedBytesBringCollections() throws {
        let census = Counter.Census()
        let state = try LuaState.forTests(census: census)
        var most = 0
        try state.define("watch") { _ in most = max(most, census.alive) }
        // 2,000 objects that claim 100 MB each, in a heap of a few KB that would never be collected for itself.
        try state.run("for i = 1, 2000 do counter(100000000) watch() end")
        #expect(most <= 3)
        state.collect()
        #expect(state.externalByteCount == 0)
    }

    /// An object is not read while a method changes it, whichever way it comes in.
    @Test func objectsInTablesAndOptionsAreBorrowedToo() throws {
        let state = try LuaState.forTests()
        try state.define("option") { call in try call.options(1, known: ["of"]).object("of", as: Counter.self).value }
        try state.define("element") { call in
            try call.values(in: 1, "counters").compactMap { try call.object(in: $0, as: Counter.self)?.value }
        }
        try state.define("value") { call in try call.value(1).object?.object(as: Counter.self, for: "value")?.value ?? 0 }
        for reader in ["option { of = c }", "element { c }", "value(c)"] {
            #expect(try state.first("local c = counter(3) \(reader) return 1").integer == 1)
            let failure = try state.failure("local c = counter(3) c:increase_(function() \(reader) end)")
            #expect(failure.code == "lua.busy", "\(reader): \(failure.message)")
            let closed = try state.failure("local c = counter(3) do local d <close> = c end \(reader)")
            #expect(closed.code == "lua.closed", "\(reader): \(closed.message)")
        }
        #expect(try state.first("return #element { stranger(), 1, {} }").integer == 0)
    }
}
