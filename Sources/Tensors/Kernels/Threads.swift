package import Basics
import COneDNN
import COpenBLAS

/// The thread counts of oneDNN, OpenBLAS and our own loops for the current context. All run on libgomp's teams, of which
/// every calling thread has one.
public enum Threads {
    /// Threads that kernels use, 1…256; all processors unless set. Fewer where the address space has no room for them.
    public static var count: Int {
        get {
            let thread = WorkingThread.current
            let wanted = thread.context.threadCount
            let count = wanted > 0 ? wanted : min(available, 256)
            return ThreadRoom.count(upTo: thread.threadLimit > 0 ? min(thread.threadLimit, count) : count)
        }
        set { ComputeContext.current.threadCount = newValue }
    }

    /// Sets `count` where there is room for so many.
    /// - Throws: `TensorFailure.noRoomForThreads`.
    public static func use(_ wanted: Int) throws {
        let room = ThreadRoom.find(for: wanted)
        guard room >= wanted else { throw TensorFailure.noRoomForThreads(wanted: wanted, room: room) }
        count = wanted
    }

    /// Runs `body` on the calling thread alone, libraries and all: for problems so small that waking the others would
    /// take longer than the work, and for making primitives that one of several workers will run.
    package static func withOneThread<Result>(_ body: () throws -> Result) rethrows -> Result {
        let thread = WorkingThread.current
        let outer = thread.threadLimit
        thread.threadLimit = 1
        defer { thread.threadLimit = outer }
        return try body()
    }

    /// Multiply-adds of a float64 factorisation below which one thread does it all.
    private static let sharedWork = 1e8

    /// Runs `body`, which takes about so many multiply-adds, on as many threads as that is worth.
    package static func forWork<Result>(_ work: Double, _ body: () throws -> Result) rethrows -> Result {
        try work < sharedWork ? withOneThread(body) : body()
    }

    /// Runs `body`, an eigenproblem of a symmetric matrix, on as many threads as its order is worth. It takes thousands of products
    /// with vectors, after each of which the threads meet: where other programs want the processor too, each of these meetings
    /// may wait for a thread that does not run.
    static func forEigenproblem<Result>(ofOrder order: Int, _ body: () throws -> Result) rethrows -> Result {
        try order < 1024 ? withOneThread(body) : body()
    }

    /// Tells libgomp, and so oneDNN and OpenBLAS, how many threads the calling thread's next call may use.
    package static func prepareLibraries() { cod_set_thread_count(Int32(count)) }

    /// Processors this process may run on.
    public static let available = max(1, Int(cod_processor_count()))
}

/// Splits `0 ..< count` over the threads; parts hold at least `grain` items, so that small loops stay on one.
///
/// `body` runs concurrently on disjoint ranges and must not throw, allocate tensors or touch shared state.
@inline(__always)
package func parallelFor(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let threads = min(Threads.count, count / max(1, grain))
    if threads <= 1 { return body(0..<count) }
    // The team has finished when `cod_parallel` returns, so the closure does not outlive this frame.
    withoutActuallyEscaping(body) { escaping in
        var job = ParallelJob(count: count, role: WorkingThread.current.role, body: escaping)
        withUnsafeMutablePointer(to: &job) { cod_parallel(runParallelShare, $0, Int32(threads)) }
    }
}

private struct ParallelJob {
    let count: Int
    let role: WorkingThread.Role
    let body: (Range<Int>) -> Void
}

private let runParallelShare: @convention(c) (UnsafeMutableRawPointer?, Int32, Int32) -> Void = { context, thread, threads in
    let job = context!.assumingMemoryBound(to: ParallelJob.self)
    let share = { (t: Int32) in job.pointee.count * Int(t) / Int(threads) }
    WorkingThread.current.play(job.pointee.role) { job.pointee.body(share(thread)..<share(thread + 1)) }
}
