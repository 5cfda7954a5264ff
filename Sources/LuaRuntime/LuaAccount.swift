import CLuaBridge

/// What something keeps outside of Lua's heap that grows while scripts use it and is no object of theirs, or is reached
/// through others: a network that is being built, a tape.
///
/// It counts below `LuaOptions.memoryLimit` as long as the account lives.
public final class LuaAccount {
    private weak var state: LuaState?
    private var byteCount = 0

    public init(in state: LuaState) { self.state = state }

    /// Counts `byteCount` more bytes; nothing in a state without a limit.
    /// - Throws: Lua's own error of memory where the limit leaves no room for them.
    public func add(_ byteCount: Int) throws {
        guard let state, state.isOpen, state.host.pointee.heapLimit != 0 else { return }
        try state.makeRoom(for: byteCount)
        state.charge(byteCount)
        self.byteCount += byteCount
    }

    deinit {
        if byteCount > 0, let state, state.isOpen { state.release(byteCount) }
    }
}
