public import Basics
import CLua
import CLuaBridge

/// Accounts of the memory that Lua cannot see: a small userdata may hide a large Swift object, so the bytes behind
/// userdata are charged, and enough new ones bring a collection at the next call from a script into Swift.
extension LuaState: GarbageCollector {
    /// Bytes on the Lua heap.
    public var heapByteCount: Int { Int(host.pointee.heapBytes) }

    /// Bytes charged and not released.
    public var externalByteCount: Int { Int(host.pointee.externalBytes) }

    /// Tells the collector that Lua now keeps `byteCount` more bytes alive outside its heap.
    ///
    /// Objects of a class that has a `byteCount` are charged and released on their own.
    public func charge(_ byteCount: Int) {
        host.pointee.externalBytes += max(0, byteCount)
        host.pointee.pendingBytes += max(0, byteCount)
    }

    /// Takes back an earlier charge.
    public func release(_ byteCount: Int) {
        host.pointee.externalBytes -= min(max(0, byteCount), host.pointee.externalBytes)
    }

    /// Makes sure that `byteCount` more bytes outside of Lua's heap are below the limit.
    /// - Throws: Lua's own error of memory where they are not, also after a collection.
    func makeRoom(for byteCount: Int) throws {
        guard host.pointee.heapLimit != 0, !moon_has_room(host, byteCount) else { return }
        try reserve(2)
        try check(moon_make_room(current, host, byteCount))
    }

    /// Counts what a function takes over from Lua as below the limit too, until it returns: a table may have one string in
    /// a million places, of which Swift makes a million strings.
    @inline(__always)
    func take(_ byteCount: Int) throws {
        guard host.pointee.heapLimit != 0, functionDepth > 0 else { return }
        takenByteCount += byteCount
        try makeRoom(for: takenByteCount)
    }

    /// Runs the body of a function that scripts call. What it takes over is counted until then.
    @inline(__always)
    func counting<Result>(_ body: () throws -> Result) rethrows -> Result {
        let before = takenByteCount
        functionDepth += 1
        defer { (functionDepth, takenByteCount) = (functionDepth - 1, before) }
        return try body()
    }

    /// Runs a full collection because memory ran out. Should that not have helped, what asked for it will fail, and what it
    /// held is garbage once its error is caught: then there is another.
    public func collect() {
        collectNow()
        host.pointee.isShort = true
    }

    func collectNow() {
        guard isOpen, lua_checkstack(current, 2 + MOON_STACK_ROOM) != 0 else { return }
        if !references.isEmpty { references.drain(current) }
        moon_collect(current)
    }
}
