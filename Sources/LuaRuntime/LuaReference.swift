import Basics
import CLua
import CLuaBridge
import Synchronization

/// The registry references of one state that are no longer needed.
///
/// References die in Swift deinitialisers: inside Lua's collector, in the middle of a stack operation, on another
/// thread when an error escaped to one. They are queued here, and the state frees them where that is safe.
final class ReferencePool: @unchecked Sendable {
    /// The state, until it closes. Only read on the state's own thread.
    private(set) unowned(unsafe) var state: LuaState?
    private let discarded = Guarded<[Int32]>([])
    private let hasDiscarded = Atomic<Bool>(false)

    init(_ state: LuaState) { self.state = state }

    func close() { state = nil }

    func discard(_ index: Int32) {
        discarded.withLock { $0.append(index) }
        hasDiscarded.store(true, ordering: .releasing)
    }

    @inline(__always)
    var isEmpty: Bool { !hasDiscarded.load(ordering: .relaxed) }

    /// Gives the queued references back to Lua. Needs two free stack slots.
    func drain(_ L: OpaquePointer) {
        let indices = discarded.withLock { list in
            defer { list.removeAll(keepingCapacity: true) }
            hasDiscarded.store(false, ordering: .relaxed)
            return list
        }
        for index in indices { luaL_unref(L, moon_registry_index(), index) }
    }
}

/// A Lua value that Swift holds on to, through the registry.
final class LuaReference: @unchecked Sendable {
    private let pool: ReferencePool
    private let index: Int32

    init(pool: ReferencePool, index: Int32) {
        self.pool = pool
        self.index = index
    }

    deinit { pool.discard(index) }

    /// - Throws: `LuaFailure` with code `lua.stateClosed` once the state is gone.
    func state() throws -> LuaState {
        guard let state = pool.state else { throw LuaFailure.stateClosed }
        return state
    }

    func push() throws { try push(on: try state()) }

    /// Pushes the value; refuses references of another state, whose index would mean something else there.
    func push(on state: LuaState) throws {
        guard pool.state === state else { throw pool.state == nil ? LuaFailure.stateClosed : LuaFailure.foreignValue }
        try state.reserve(1)
        lua_rawgeti(state.current, moon_registry_index(), lua_Integer(index))
    }
}
