import Basics
import CLua
import CLuaBridge

/// What C calls back, all of it through plain functions that never raise and never throw.
extension LuaState {
    static let installCallbacks: Void = moon_install(
        MoonCallbacks(
            enter: enterSwift, release: releaseObject, isInterrupted: isInterrupted,
            pushStop: pushStop, write: writeOutput, warn: writeWarning))
}

/// Runs a registered Swift function. A negative result tells the trampoline to raise the value on top.
private func enterSwift(_ L: OpaquePointer?, _ box: UnsafeMutableRawPointer?) -> Int32 {
    guard let L, let box else { return 0 }
    let function = Unmanaged<FunctionBox>.fromOpaque(box).takeUnretainedValue()
    let state = function.state
    return state.entering(L) {
        let argumentCount = lua_gettop(L)
        do {
            if state.context.cancellation.isRequested { throw state.stopFailure }
            try state.counting { try function.body(LuaCall(state: state, function: function, argumentCount: argumentCount)) }
            return lua_gettop(L) - argumentCount
        } catch {
            state.pushFailure(error is Interrupted ? state.stopFailure : error)
            return -1
        }
    }
}

extension LuaState {
    /// Why the script is to stop.
    fileprivate var stopFailure: any Error { context.cancellation.isLate ? LuaFailure.timeLimit as any Error : Interrupted() }
}

private func isInterrupted(_ state: UnsafeMutableRawPointer?) -> Bool {
    guard let state else { return false }
    return Unmanaged<LuaState>.fromOpaque(state)._withUnsafeGuaranteedRef { $0.context.cancellation.isRequested }
}

private func releaseObject(_ object: UnsafeMutableRawPointer?) {
    guard let object else { return }
    Unmanaged<AnyObject>.fromOpaque(object).release()
}

private func pushStop(_ L: OpaquePointer?, _ state: UnsafeMutableRawPointer?, _ reason: Int32) {
    guard let L, let state else { return }
    let owner = Unmanaged<LuaState>.fromOpaque(state).takeUnretainedValue()
    owner.entering(L) {
        owner.pushFailure(
            UInt32(reason) == MOON_STOP_INTERRUPTED.rawValue ? owner.stopFailure : LuaFailure.instructionLimit)
    }
}

private func writeOutput(
    _ L: OpaquePointer?, _ state: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<CChar>?, _ count: Int
) -> Int32 {
    guard let L, let state, let bytes else { return 0 }
    let owner = Unmanaged<LuaState>.fromOpaque(state).takeUnretainedValue()
    let text = UnsafeRawBufferPointer(start: bytes, count: count)
    do {
        if let output = owner.options.output {
            try output(String(foreignBytes: text))
        } else {
            try StandardOutput.write(text)
        }
        return 0
    } catch {
        owner.entering(L) { owner.pushFailure(error) }
        return 1
    }
}

private func writeWarning(_ state: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<CChar>?, _ count: Int) {
    guard let state, let bytes else { return }
    Unmanaged<LuaState>.fromOpaque(state).takeUnretainedValue()
        .warn(String(foreignBytes: UnsafeRawBufferPointer(start: bytes, count: count)))
}

extension LuaState {
    /// Says what is no error but should be known, a line without its newline, where `LuaOptions.warnings` takes it, also
    /// while a script has its own warnings off.
    public func warn(_ text: String) {
        if let warnings = options.warnings { return warnings(text) }
        text.withForeignBytes { bytes in
            if let start = bytes.baseAddress { moon_write_standard_error(start.assumingMemoryBound(to: CChar.self), bytes.count) }
        }
    }
}
