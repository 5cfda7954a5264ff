import Basics
import LuaRuntime
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// One after the other: a signal is the process's, and asks the standard context to stop. Other suites never request
/// that, but would see it, so this suite runs in a process of its own.
@Suite(.serialized) struct InterruptTests {
    @Test func loopsStopInsidePcallAndCoroutines() async {
        await #expect(processExitsWith: .success) {
            for loop in InterruptScripts.loops {
                let state = try LuaState.forTests(LuaOptions(context: .standard))
                InterruptScripts.requestSoon()
                let failure = try state.failure(loop)
                guard failure.isInterrupted, failure.code == "interrupted" else { exit(1) }
                Cancellation.clear()
                // The state is usable again, also its coroutines.
                guard try state.first("local n = 0 for i = 1, 50000 do n = n + 1 end return n").integer == 50000 else { exit(2) }
                guard try state.first("return old and coroutine.resume(old) == true or true").boolean == true else { exit(3) }
            }
        }
    }

    @Test func cleanupStillRunsWhenInterrupted() async {
        await #expect(processExitsWith: .success) {
            let census = Counter.Census()
            let state = try LuaState.forTests(LuaOptions(context: .standard), census: census)
            InterruptScripts.requestSoon()
            _ = try state.failure("local c <close> = counter(1) while true do end")
            if census.alive != 0 { exit(1) }
        }
    }

    @Test func aRequestStopsTheStatesOfItsContextOnly() throws {
        let (stopped, other) = (try LuaState.forTests(), try LuaState.forTests())
        stopped.context.cancellation.request()
        #expect(try stopped.failure("while true do end").isInterrupted)
        #expect(try stopped.failure("add(1, 2)").isInterrupted)
        #expect(try other.first("return add(1, 2)").integer == 3)
        stopped.context.cancellation.clear()
        #expect(try stopped.first("return add(1, 2)").integer == 3)
    }

    @Test func sigintIsARequest() async {
        await #expect(processExitsWith: .success) {
            InterruptSignal.stopsWork()
            let state = try LuaState.forTests(LuaOptions(context: .standard))
            try state.define("signal") { _ in _ = kill(getpid(), SIGINT) }
            let failure = try state.failure("signal() while true do end")
            if !failure.isInterrupted { exit(1) }
        }
    }
}

enum InterruptScripts {
    static let loops = [
        "while true do end", "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function(m) while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do pcall(coroutine.wrap(function() while true do pcall(error) end end)) end",
        "local co = coroutine.create(function() while true do coroutine.yield() end end) while true do pcall(coroutine.resume, co) end",
        "while true do add(1, 2) end", "while true do pcall(apply, function() while true do end end) end",
        "old = coroutine.create(function() for i = 1, 3 do coroutine.yield() end end) coroutine.resume(old) while true do end",
        "coroutine.wrap(function() local t <close> = setmetatable({}, { __close = function() while true do end end }) while true do end end)()",
        "local co = coroutine.create(function() local t <close> = setmetatable({}, { __close = function() while true do end end }) while true do end end) while true do pcall(coroutine.resume, co) pcall(coroutine.close, co) end",
        "while true do local t <close> = setmetatable({}, { __close = function() while true do end end }) end",
    ]

    /// Requests a stop from another thread, while the script runs.
    static func requestSoon() {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { _ in
                usleep(30_000)
                Cancellation.request()
                return nil
            }, nil)
        pthread_detach(thread)
    }
}
