import Basics
import COpenBLAS
import Synchronization

/// The way to OpenBLAS and LAPACK.
///
/// Debian's OpenBLAS keeps one thread count and one set of buffers for the process, so it serves one calling thread at a
/// time; that thread's team may use it together, as may a call inside of another.
enum OpenBLAS {
    private static let lock = Mutex(())

    /// Runs `body`, which calls the library, with the threads of the current context.
    static func call<Result>(_ body: () throws -> Result) rethrows -> Result {
        let thread = WorkingThread.current
        if thread.holdsLibraryLock { return try body() }
        lock._unsafeLock()
        thread.holdsLibraryLock = true
        defer {
            thread.holdsLibraryLock = false
            lock._unsafeUnlock()
        }
        Threads.prepareLibraries()
        let count = Int32(Threads.count)
        if openblas_get_num_threads() != count { openblas_set_num_threads(count) }
        return try body()
    }
}
