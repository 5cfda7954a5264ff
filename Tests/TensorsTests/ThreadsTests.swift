import Tensors
import Testing

@MainActor @Suite struct ThreadsTests {
    /// Threads split sums: the same terms are added in another order.
    private let orderTolerance = 1e-5

    private func results() throws -> [Tensor] {
        let (x, w) = (try sample([4, 19, 17, 15]), try sample([33, 19, 3, 3], seed: 2))
        let geometry = ConvolutionGeometry(stride: 1, padding: 1)
        let y = try Convolution.forward(x, w, nil, geometry, training: true)
        let normalized = try BatchNormalization.forward(y, scale: .ones([33]), shift: .zeros([33]), epsilon: 1e-5, hasReLU: true)
        let gradients = try Convolution.gradientOfWeights(y, x, weight: w.shape, hasBias: true, geometry)
        return [
            y, normalized.y, gradients.weights, try #require(gradients.bias),
            try Convolution.gradientOfInput(y, w, input: x.shape, geometry),
            try AdaptivePooling.forward(normalized.y, rows: 3, columns: 2),
            try sample([200, 300]).matrixProduct(sample([300, 150], seed: 2)),
            try sample([300, 300]).adding(sample([300, 300], seed: 2)).exponential(),
        ]
    }

    @Test func oneAndTwoThreadsAgree() throws {
        let old = Threads.count
        defer { Threads.count = old }
        Threads.count = 1
        let alone = try results().map(doubles)
        Threads.count = 2
        for (result, expected) in zip(try results(), alone) {
            #expect(try relativeDistance(result, expected) < orderTolerance)
        }
    }

    @Test(arguments: [(0, 1), (1, 1), (10, 3), (1000, 7), (65537, 1)]) func everyItemRunsOnce(_ count: Int, _ grain: Int) throws {
        let old = Threads.count
        defer { Threads.count = old }
        for threads in 1...3 {
            Threads.count = threads
            var visits = [UInt8](repeating: 0, count: count)
            visits.withUnsafeMutableBufferPointer { buffer in
                // The base address is taken outside: the loop body runs on several threads at once.
                nonisolated(unsafe) let place = buffer.baseAddress
                visit(count, grain, place)
            }
            #expect(visits.allSatisfy { $0 == 1 })
        }
    }

    /// Off the main actor: OpenMP threads run the body.
    private nonisolated func visit(_ count: Int, _ grain: Int, _ place: UnsafeMutablePointer<UInt8>?) {
        parallelFor(count, grain: grain) { range in for i in range { place?[i] += 1 } }
    }

    @Test func countsAreKeptInRange() async {
        // In a process of its own: nothing else should run on 256 threads meanwhile.
        await #expect(processExitsWith: .success) {
            Threads.count = -3
            #expect(Threads.count == 1)
            Threads.count = 100_000
            #expect(Threads.count == 256)
        }
    }
}
