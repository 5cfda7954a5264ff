public import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// How much tensor memory a context has in use. Freed blocks are kept for reuse, because fresh pages cost a training
/// step more than its arithmetic on small nets; what is kept never exceeds the largest amount that was in use at once.
///
/// The static members mean the ledger of the context that the calling thread works for.
public final class MemoryLedger: Sendable {
    private struct State {
        var liveByteCount = 0
        var peakByteCount = 0
        var idleByteCount = 0
        var limit = MemoryLedger.defaultLimit
        var idle: [Int: [UInt]] = [:]
    }

    private let state = Guarded(State())
    private static let floor = 256 << 20

    private static let defaultLimit = MachineMemory.availableByteCount() / 10 * 9

    init() {}

    deinit { trim() }

    /// Bytes held by living tensors.
    public var liveByteCount: Int { state.withLock { $0.liveByteCount } }
    /// The largest `liveByteCount` since the last `resetPeak()`.
    public var peakByteCount: Int { state.withLock { $0.peakByteCount } }
    /// Bytes kept for reuse.
    public var idleByteCount: Int { state.withLock { $0.idleByteCount } }
    /// Allocation beyond this many live bytes fails, after the interpreter that asks for them has collected its garbage;
    /// nine tenths of what the process may count on (`MachineMemory`) unless set.
    public var limit: Int {
        get { state.withLock { $0.limit } }
        set { state.withLock { $0.limit = newValue } }
    }

    public func resetPeak() { state.withLock { $0.peakByteCount = $0.liveByteCount } }

    /// Gives kept blocks back to the system.
    public func trim() {
        let blocks = state.withLock { state -> [UInt] in
            defer { (state.idle, state.idleByteCount) = ([:], 0) }
            return state.idle.values.flatMap { $0 }
        }
        for block in blocks { free(UnsafeMutableRawPointer(bitPattern: block)) }
    }

    /// Size classes: multiples of 64 bytes up to 4 KiB, then eighths of a power of two, so that near sizes share.
    static func capacity(for byteCount: Int) -> Int {
        if byteCount <= 4096 { return max(64, (byteCount + 63) & ~63) }
        let step = 1 << max(12, Int.bitWidth - byteCount.leadingZeroBitCount - 4)
        return (byteCount + step - 1) / step * step
    }

    /// A block of `capacity` bytes. Where there is no room for it, garbage is collected and all is tried once more.
    /// - Throws: `outOfMemory`.
    func allocate(capacity: Int) throws -> UnsafeMutableRawPointer {
        do {
            return try take(capacity)
        } catch {
            guard let collector = WorkingThread.current.collector else { throw error }
            collector.collect()
            return try take(capacity)
        }
    }

    private func take(_ capacity: Int) throws -> UnsafeMutableRawPointer {
        enum Outcome { case reuse(UInt), fresh(isCrowded: Bool), refused(live: Int, limit: Int) }
        let outcome = state.withLock { state -> Outcome in
            guard capacity <= state.limit, state.liveByteCount <= state.limit - capacity else {
                return .refused(live: state.liveByteCount, limit: state.limit)
            }
            state.liveByteCount += capacity
            state.peakByteCount = max(state.peakByteCount, state.liveByteCount)
            guard let block = state.idle[capacity]?.popLast() else {
                return .fresh(isCrowded: state.liveByteCount + state.idleByteCount > state.limit)
            }
            state.idleByteCount -= capacity
            return .reuse(block)
        }
        switch outcome {
        case .reuse(let block): return UnsafeMutableRawPointer(bitPattern: block)!
        case .refused(let live, let limit):
            throw TensorFailure.outOfMemory(byteCount: capacity, liveByteCount: live, limit: limit)
        case .fresh(let isCrowded):
            if isCrowded { trim() }
            if let block = systemBlock(capacity) { return block }
            let (live, limit) = state.withLock { state in
                state.liveByteCount -= capacity
                return (state.liveByteCount, state.limit)
            }
            throw TensorFailure.outOfMemory(byteCount: capacity, liveByteCount: live, limit: limit)
        }
    }

    private func systemBlock(_ capacity: Int) -> UnsafeMutableRawPointer? {
        var block: UnsafeMutableRawPointer?
        if posix_memalign(&block, 64, capacity) == 0 { return block }
        trim()
        return posix_memalign(&block, 64, capacity) == 0 ? block : nil
    }

    func recycle(_ block: UnsafeMutableRawPointer, capacity: Int) {
        let address = UInt(bitPattern: block)
        let kept = state.withLock { state -> Bool in
            state.liveByteCount -= capacity
            guard state.liveByteCount + state.idleByteCount + capacity <= max(Self.floor, state.peakByteCount) else {
                return false
            }
            state.idleByteCount += capacity
            state.idle[capacity, default: []].append(address)
            return true
        }
        if !kept { free(block) }
    }
}

extension MemoryLedger {
    private static var current: MemoryLedger { ComputeContext.current.memory }

    public static var liveByteCount: Int { current.liveByteCount }
    public static var peakByteCount: Int { current.peakByteCount }
    public static var idleByteCount: Int { current.idleByteCount }
    public static var limit: Int {
        get { current.limit }
        set { current.limit = newValue }
    }

    public static func resetPeak() { current.resetPeak() }

    public static func trim() { current.trim() }
}

/// A block of tensor memory, 64-byte aligned, given back to the ledger of its context when the last tensor on it goes.
package final class Storage: @unchecked Sendable {
    package let pointer: UnsafeMutableRawPointer
    package let byteCount: Int
    private let capacity: Int
    private let ledger: MemoryLedger

    /// Uninitialised memory.
    package init(byteCount: Int) throws {
        capacity = MemoryLedger.capacity(for: byteCount)
        self.byteCount = byteCount
        ledger = ComputeContext.current.memory
        pointer = try ledger.allocate(capacity: capacity)
    }

    deinit { ledger.recycle(pointer, capacity: capacity) }
}
