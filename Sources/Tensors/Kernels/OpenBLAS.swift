import Basics
import COneDNN
import COpenBLAS

/// The way to OpenBLAS and LAPACK.
///
/// Debian's OpenBLAS keeps one thread count and one set of buffers for the process, so it serves one calling thread at a
/// time; that thread's team may use it together, as may a call inside of another.
enum OpenBLAS {
    /// Threads that the library has buffers for; its first one has it from the start.
    private static let bufferedThreadCount = Guarded(1)
    private static let bufferByteCount = 128 << 20

    /// Runs `body`, which calls the library, with the threads of the current context.
    static func call<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let thread = WorkingThread.current
        if thread.holdsLibraryLock { return try body() }
        return try bufferedThreadCount.withLock { buffered throws(Failure) in
            thread.holdsLibraryLock = true
            defer { thread.holdsLibraryLock = false }
            // It asks for more buffers for ever where the address space has no room for them any more.
            let count = Threads.count
            if count > buffered { buffered += AddressSpace.blockCount(of: bufferByteCount, upTo: count - buffered) }
            let used = Int32(min(count, buffered))
            // Both, for it follows libgomp's count.
            cod_set_thread_count(used)
            if openblas_get_num_threads() != used { openblas_set_num_threads(used) }
            return try body()
        }
    }
}
