import Basics
import Graphs
import Synchronization
import Tensors

/// The body of a partitioned program: every worker has buffers of its own and takes the next chunk as it gets free.
final class ChunkedBody {
    /// What the rest of the program reads, for the whole batch.
    let crossing: [String: Tensor]
    let bufferByteCount: Int

    private struct Chunk {
        let start: Int
        let count: Int
    }

    private let batch: Int
    private let chunks: [Chunk]
    /// A compiled body per worker and chunk size.
    private let workers: [[Int: CompiledSteps]]
    private let outputs: [String]

    init(_ partition: ProgramPartition, batch: Int, _ precision: Precision, watch: MagnitudeWatch?) throws {
        self.batch = batch
        let size = partition.chunkSize
        let chunks = stride(from: 0, to: batch, by: size).map { Chunk(start: $0, count: min(size, batch - $0)) }
        self.chunks = chunks
        var workers = [[Int: CompiledSteps]](repeating: [:], count: partition.workerCount)
        let outputs = partition.body.outputs
        // Fewer images can make a kernel prefer another format; what all chunks write into has that of the full ones.
        var formats: [String: ActivationFormat] = [:]
        // Workers run side by side, so each one's kernels are made for one thread.
        try Threads.withOneThread {
            for count in Set(chunks.map(\.count)).sorted(by: >) {
                var compiler = try ProgramCompiler(partition.body, batch: count, precision: precision, watch: watch)
                try compiler.plan(raw: partition.crossing, formats: formats)
                for worker in workers.indices { workers[worker][count] = try compiler.materialize() }
                if count == size {
                    for (name, output) in zip(outputs, workers[0][count]?.outputs ?? []) { formats[name] = output.format }
                }
            }
        }
        self.workers = workers
        self.outputs = outputs
        crossing = try zip(outputs, workers[0][size]?.outputs ?? []).reduce(into: [:]) { crossing, output in
            guard partition.crossing.contains(output.0) else { return }
            let whole = PlannedValue(shape: Shape([batch] + output.1.shape.dims.dropFirst()), format: output.1.format)
            crossing[output.0] = whole.tensor(on: try Storage(byteCount: whole.byteCount))
        }
        bufferByteCount =
            workers.reduce(0) { $1.values.reduce($0) { $0 + $1.bufferByteCount } }
            + crossing.values.reduce(0) { $0 + 4 * $1.storedElementCount }
    }

    /// Runs on plain inputs of the whole batch; results go to `results` or, for the rest of the program, `crossing`.
    func run(_ inputs: [Tensor], results: [String: Tensor]) throws {
        let targets = outputs.compactMap { crossing[$0] ?? results[$0] }
        let next = Atomic<Int>(0)
        let failure = Guarded<(any Error)?>(nil)
        withExtendedLifetime((inputs, targets)) {
            parallelFor(workers.count, grain: 1) { range in
                for worker in range {
                    do {
                        while let chunk = take(next), failure.withLock({ $0 == nil }) {
                            func start(_ tensor: Tensor) -> UnsafeMutableRawPointer {
                                tensor.rawBase + 4 * tensor.storedElementCount / batch * chunk.start
                            }
                            try workers[worker][chunk.count]?.run(from: inputs.map(start), to: targets.map(start))
                        }
                    } catch {
                        failure.withLock { $0 = $0 ?? error }
                    }
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func take(_ next: borrowing Atomic<Int>) -> Chunk? {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < chunks.count ? chunks[index] : nil
    }
}
