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

    /// Runs a full collection now.
    public func collect() {
        guard isOpen, lua_checkstack(current, 2 + MOON_STACK_ROOM) != 0 else { return }
        if !references.isEmpty { references.drain(current) }
        moon_collect(current)
    }
}
