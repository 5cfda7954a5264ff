import Basics
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// How many threads the process has room for in its address space.
///
/// Where it has none (`ulimit -v`, a strict account of memory), libgomp ends the process when it starts a thread, and
/// OpenBLAS asks for its buffers for ever. So the room is found before either is asked for more threads than ever before.
enum ThreadRoom {
    /// OpenBLAS's buffer, the C library's arena and the usual stack.
    static let byteCountPerThread = (128 + 64 + 8) << 20

    private static let found = Atomic<Int>(1)
    /// The least count there was no room for. It is not looked for again but on request: kernels ask too often for that.
    private static let refused = Guarded(Int.max)

    /// `wanted`, or fewer where there is no room for so many; at least 1.
    @inline(__always)
    static func count(upTo wanted: Int) -> Int {
        wanted <= found.load(ordering: .relaxed) ? wanted : find(for: wanted, again: false)
    }

    /// Looks for the room of `wanted` threads.
    /// - Parameter again: also where there was none before.
    /// - Returns: how many there is room for; `wanted` at most.
    static func find(for wanted: Int, again: Bool = true) -> Int {
        refused.withLock { refused in
            var room = found.load(ordering: .relaxed)
            if wanted > room, again || wanted < refused {
                room += AddressSpace.blockCount(of: byteCountPerThread, upTo: wanted - room)
                found.store(room, ordering: .relaxed)
                refused = room < wanted ? wanted : .max
            }
            return min(room, wanted)
        }
    }
}

/// What the process may map.
enum AddressSpace {
    /// How many more blocks there is room for at the same time, `most` at most.
    static func blockCount(of byteCount: Int, upTo most: Int) -> Int {
        var blocks: [UnsafeMutableRawPointer] = []
        while blocks.count < most,
            let block = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), block != MAP_FAILED
        {
            blocks.append(block)
        }
        for block in blocks { munmap(block, byteCount) }
        return blocks.count
    }
}
