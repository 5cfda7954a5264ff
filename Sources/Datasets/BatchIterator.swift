import Basics

/// The batches of one epoch, one after another. Dropping it in the middle stops the thread that works ahead.
///
/// It belongs to one thread.
public final class BatchIterator {
    /// Batches in the whole epoch.
    public let batchCount: Int
    /// The number of the batch that `next` returns next; what a checkpoint keeps to go on from here.
    public private(set) var nextBatch: Int
    private let plan: EpochPlan
    private var prefetcher: Prefetcher<Batch>?

    init(_ plan: EpochPlan, from start: Int, prefetches: Bool) throws {
        self.plan = plan
        batchCount = plan.batchCount
        nextBatch = start
        if prefetches, start < batchCount {
            prefetcher = try Prefetcher(start..<plan.batchCount, ahead: 2) { try plan.batch($0) }
        }
    }

    /// The next batch, or `nil` after the last.
    /// - Throws: `Interrupted` when the user asked to stop, or `TensorFailure` when memory runs out.
    public func next() throws -> Batch? {
        try Cancellation.check()
        guard nextBatch < batchCount else { return nil }
        let batch: Batch
        do {
            batch = try prefetcher?.next() ?? plan.batch(nextBatch)
        } catch {
            // The thread has ended with its error; whoever frees memory and tries again gets the batch made here.
            prefetcher = nil
            throw error
        }
        nextBatch += 1
        if nextBatch == batchCount { prefetcher = nil }
        return batch
    }

    /// Ends the epoch early; `next` returns `nil` from now on.
    public func close() {
        prefetcher = nil
        nextBatch = batchCount
    }
}
