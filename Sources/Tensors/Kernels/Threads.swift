import COneDNN
import COpenBLAS
import Synchronization

/// The one owner of the thread counts of oneDNN, OpenBLAS and our own loops. All run on libgomp's team.
public enum Threads {
    private static let chosen = Atomic<Int>(0)

    /// Threads that kernels use; all processors unless set.
    public static var count: Int {
        get {
            let value = chosen.load(ordering: .relaxed)
            if value > 0 { return value }
            Self.count = available
            return available
        }
        set {
            let value = max(1, min(newValue, 256))
            chosen.store(value, ordering: .relaxed)
            cod_set_thread_count(Int32(value))
            openblas_set_num_threads(Int32(value))
        }
    }

    /// Runs `body` on the calling thread alone, libraries and all: for problems so small that waking the others would
    /// take longer than the work, and for making primitives that one of several workers will run.
    package static func withOneThread<Result>(_ body: () throws -> Result) rethrows -> Result {
        let all = count
        guard all > 1 else { return try body() }
        count = 1
        defer { count = all }
        return try body()
    }

    /// Processors this process may run on.
    public static var available: Int { max(1, Int(cod_processor_count())) }
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
        var job = ParallelJob(count: count, body: escaping)
        withUnsafeMutablePointer(to: &job) { cod_parallel(runParallelShare, $0, Int32(threads)) }
    }
}

private struct ParallelJob {
    let count: Int
    let body: (Range<Int>) -> Void
}

private let runParallelShare: @convention(c) (UnsafeMutableRawPointer?, Int32, Int32) -> Void = { context, thread, threads in
    let job = context!.assumingMemoryBound(to: ParallelJob.self)
    let share = { (t: Int32) in job.pointee.count * Int(t) / Int(threads) }
    job.pointee.body(share(thread)..<share(thread + 1))
}
