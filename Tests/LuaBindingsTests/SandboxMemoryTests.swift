import Basics
import Foundation
import LuaBindings
import LuaRuntime
import Testing

/// `memoryLimit` is of everything that a script can make live: a script for each kind that is no tensor and no table.
@Suite(.serialized) struct SandboxMemoryTests {
    private static let limit = 48 << 20

    private func state(_ options: LuaOptions = LuaOptions(isSandboxed: true, memoryLimit: limit)) throws -> LuaState {
        let state = try LuaState(options)
        try Toolkit.install(in: state)
        try state.globals.set("mr", state.require("moonrail"))
        return state
    }

    private func code(_ script: String, in state: LuaState) -> String? {
        do {
            try state.run("local text, t = ('x'):rep(1 << 20), {}\n" + script, name: "memory")
            return nil
        } catch {
            return (error as? any Failure)?.code
        }
    }

    static let kinds: [(name: String, script: String)] = [
        ("notes of a model", "local m = mr.zoo.mlp { image = { 1, 2, 2 }, hidden = { 2 }, classes = 2 } for i = 1, 512 do m:note('n' .. i, text) end"),
        (
            "notes of clones",
            """
            local m = mr.zoo.mlp { image = { 1, 2, 2 }, hidden = { 2 }, classes = 2 }
            for i = 1, 10 do m:note('n' .. i, text) end
            for i = 1, 100 do t[i] = m:clone() end
            """
        ),
        (
            "one text in many places of a note",
            """
            local m = mr.zoo.mlp { image = { 1, 2, 2 }, hidden = { 2 }, classes = 2 }
            for i = 1, 512 do t[i] = text end
            m:note("n", t)
            """
        ),
        (
            "one table in many places of a note",
            """
            local m = mr.zoo.mlp { image = { 1, 2, 2 }, hidden = { 2 }, classes = 2 }
            t = { 1 }
            for i = 1, 17 do t = { t, t } end
            for i = 1, 40 do m:note("n" .. i, t) end
            """
        ),
        ("one text in many places of a JSON text", "for i = 1, 512 do t[i] = text end mr.json(t)"),
        ("names of layers", "for i = 1, 512 do t[i] = mr.nn.relu { name = text .. i } end"),
        ("many layers", "for i = 1, 1e6 do t[i] = mr.nn.relu() end"),
        ("a network that is put together", "mr.nn.graph { image = { 1, 2, 2 }, build = function(x) local f = mr.nn.relu() while true do x = f(x) end end }"),
        ("values that a network computes with", "mr.nn.graph { image = { 1, 2, 2 }, build = function(x) while true do x = x * 2 end end }"),
        (
            "parameters of a network",
            """
            mr.nn.graph { image = { 1, 2, 2 }, build = function(x)
                for i = 1, 1e6 do mr.nn.parameter { name = "p" .. i, shape = { 1 } } (x) end
            end }
            """
        ),
        (
            "names of blocks",
            """
            local function deep(x) return mr.nn.block { name = text, deep } (x) end
            mr.nn.graph { image = { 1, 2, 2 }, build = deep }
            """
        ),
        ("models of long names", "for i = 1, 512 do t[i] = mr.nn.sequential { name = text .. i, image = { 4 }, mr.nn.relu() } end"),
        ("a tape", "local x = mr.tape():watch(mr.ones(1)) while true do x = x * 1 end"),
        ("watched tensors", "local tape, x = mr.tape(), mr.ones(1) while true do tape:watch(x) end"),
        (
            "models on one tape",
            """
            local m, tape = mr.zoo.mlp { image = { 1, 2, 2 }, hidden = { 2 }, classes = 2 }, mr.tape()
            while true do m:forward(mr.ones(1, 1, 2, 2), { tape = tape }) end
            """
        ),
        (
            "what an optimizer keeps",
            """
            local o = mr.optim.sgd { lr = 0.1, momentum = 0.9 }
            for i = 1, 512 do o:update({ [text .. i] = mr.ones(1) }, { [text .. i] = mr.ones(1) }) end
            """
        ),
        ("optimizers", "local p for i = 1, 1e6 do p = mr.optim.adam { lr = 1 } p:update(mr.ones(1), mr.ones(1)) t[i] = p end"),
        ("labels of progress", "for i = 1, 512 do t[i] = mr.progress(text .. i, 1) end"),
        ("errors", "for i = 1, 512 do t[i] = select(2, pcall(mr.zoo.mlp, { [text .. i] = 1 })) end"),
        ("schedules", "for i = 1, 1e7 do t[i] = mr.schedule.constant {} end"),
        (
            "epochs that are not finished",
            """
            local data = mr.data.from_tensors(mr.zeros(2, 1, 2, 2), mr.tensor({ 1, 2 }, { dtype = "int64" }), { batch = 1 })
            for i = 1, 1e5 do t[i] = data:epoch(1) end
            """
        ),
        (
            "one text in many names of classes",
            """
            for i = 1, 512 do t[i] = text end
            mr.data.from_tensors(mr.zeros(1, 1, 1, 1), mr.tensor({ 1 }, { dtype = "int64" }), { classes = t })
            """
        ),
        ("one text in many arguments", "for i = 1, 512 do t[i] = text end mr.ones(1):matmul(table.unpack(t))"),
        ("points of a sweep", "local list = {} for i = 1, 1e7 do list[i] = i end for p in mr.sweep { keep = list } do end"),
        ("closures and coroutines", "for i = 1, 1e7 do t[i] = coroutine.wrap(function() return i end) end"),
    ]

    @Test(arguments: kinds.map(\.name)) func everyKindIsCounted(kind: String) throws {
        let script = try #require(Self.kinds.first { $0.name == kind }).script
        let state = try state()
        defer { state.close() }
        let before = (state.heapByteCount, state.externalByteCount)
        let code = code(script, in: state)
        if kind == "one text in many arguments" {
            // Arguments are read one by one, by those who want them.
            #expect(code != nil)
        } else {
            #expect(code == "lua.memory" || code == "tensor.outOfMemory", "\(code ?? "no error")")
        }
        // What was counted goes with what it was counted for.
        state.collect()
        state.collect()
        #expect(state.heapByteCount < before.0 + 4 << 20 && state.externalByteCount < before.1 + 1 << 20, "\(state.externalByteCount)")
    }

    /// One string may be thousands of pieces of a warning.
    /// Dead tensors stand outside of Lua's heap and need a finalizer, which Lua's own collection for want of memory does not run.
    @Test(arguments: [false, true]) func whatACaughtErrorGaveUpIsToBeHadAtOnce(isSandboxed: Bool) throws {
        let state = try state(LuaOptions(isSandboxed: isSandboxed, memoryLimit: Self.limit))
        defer { state.close() }
        let fill = "local function fill() local t = {} while true do t[#t + 1] = mr.zeros(1 << 16) end end "
        try state.run(
            fill + """
                local catches = {
                    function() return pcall(fill) end,
                    function() return xpcall(fill, function(e) return e end) end,
                    function() return coroutine.resume(coroutine.create(fill)) end,
                    function() return pcall(coroutine.wrap(fill)) end,
                    function() return pcall(function() local _ <close> = setmetatable({}, { __close = function() end }) fill() end) end,
                }
                for position, catch in ipairs(catches) do
                    for round = 1, 5 do
                        local ok, failure = catch()
                        assert(not ok and failure ~= nil, position)
                        local made, text = pcall(string.rep, "x", 16 << 20)
                        assert(made and #text == 16 << 20, position .. ": " .. tostring(text))
                    end
                end
                """, name: "caught")
        for _ in 1...5 {
            #expect(throws: (any Error).self) { try state.run(fill + "fill()", name: "uncaught") }
            try state.run("assert(#('x'):rep(16 << 20) == 16 << 20)", name: "next")
        }
    }

    /// `pcall` is Lua's in all else: results, messages, arguments, and a yield across it.
    @Test func protectedCallsAreLuas() throws {
        let state = try state()
        defer { state.close() }
        try state.run(
            """
            assert(select("#", pcall(function() end)) == 1 and select(4, pcall(function(...) return ... end, 1, nil, 3)) == 3)
            local ok, message = pcall(pcall)
            assert(not ok and message:find "bad argument #1 to 'pcall' %(value expected%)", message)
            local mark = {}
            ok, message = pcall(error, mark)
            assert(not ok and message == mark)
            local thread = coroutine.wrap(function() return pcall(function(x) return coroutine.yield(x) + 1 end, 1) end)
            assert(thread() == 1)
            local caught, sum = thread(2)
            assert(caught == true and sum == 3)
            thread = coroutine.wrap(function() return pcall(function() coroutine.yield() error(mark) end) end)
            thread()
            caught, message = thread()
            assert(caught == false and message == mark)
            """, name: "pcall")
    }

    @Test func aWarningIsNoLongerThanTheLimit() throws {
        let longest = Guarded(0)
        var options = LuaOptions(isSandboxed: true, memoryLimit: Self.limit)
        options.warnings = { text in longest.withLock { $0 = max($0, text.utf8.count) } }
        let state = try state(options)
        defer { state.close() }
        #expect(code("for i = 1, 2000 do t[i] = text end warn(table.unpack(t))", in: state) == nil)
        #expect(longest.withLock { $0 } < Self.limit)
    }

    /// A file that is allowed may be larger than the limit.
    @Test func filesAreNoLargerThanTheLimit() throws {
        let path = "/tmp/moonrail-test-large-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try AtomicFile.write(path, bytes: [UInt8](repeating: 48, count: Self.limit + 1))
        let state = try state(LuaOptions(isSandboxed: true, memoryLimit: Self.limit, allowedPaths: [path]))
        defer { state.close() }
        #expect(code("mr.read_text('\(path)')", in: state) == "file.tooLarge")
        #expect(code("mr.read_json('\(path)')", in: state) == "file.tooLarge")
    }
}
