import Basics
import Execution
import Graphs
import Operations
import Autograd
import Tensors
import Testing

/// Compiled, a network gives a not-a-number wherever it does operation by operation: oneDNN's ReLU, clip and maximum pooling
/// would make a number of it.
@Suite(.serialized) struct NotANumberTests {
    /// Everything that the compiler treats in its own way.
    private static func graphs() throws -> [Graph] {
        try [ExecutionSamples.zoo(), ExecutionSamples.trainedLikeResNet(imageShape: [6, 12, 10])]
            + ImportedOperationTests.functions.map { function in
                var b = GraphBuilder(name: function.name, seed: 2)
                let x = b.input("images", [6, 12, 10])
                let conv = try b.convolution("conv", x, channels: 17, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
                let behind = try b.apply("behind", function, conv)
                let pooled = try b.apply("pool", Pool2D(.init(kind: .max, window: [2, 2])), behind)
                let alone = try b.apply("alone", function, x)
                return try b.finish(outputs: [alone, pooled])
            }
    }

    private func places(_ tensors: [Tensor]) throws -> [[Bool]] {
        try tensors.map { try $0.contiguous().array(of: Float.self).map(\.isNaN) }
    }

    @Test(arguments: [1, 3, 9]) func ofAnImage(batch: Int) throws {
        for graph in try Self.graphs() {
            let program = try InferenceProgram(graph, batch: batch)
            let image = try ExecutionSamples.images([batch, 6, 12, 10])
            let clean = try program.run([image])
            #expect(try places(clean).allSatisfy { !$0.contains(true) } && program.carefulRunCount == 0, "\(graph.name)")
            try image.withMutableElements(of: Float.self) { $0[$0.count - 64] = .nan }
            let expected = try places(ExecutionSamples.onTape(graph, [image]).outputs.map(\.tensor))
            #expect(expected.allSatisfy { $0.contains(true) }, "\(graph.name)")
            #expect(try places(program.run([image])) == expected, "\(graph.name)")
        }
    }

    /// ReLU of −∞ is 0 in whatever kernel the ReLU ends up.
    @Test(arguments: [6, 17, 24], [1, 3]) func aNegativeInfinityIsRectified(channels: Int, kernel: Int) throws {
        var b = GraphBuilder(name: "infinite", seed: 2)
        let x = b.input("images", [6, 12, 10])
        let geometry = ConvolutionGeometry(stride: 1, padding: kernel / 2)
        let conv = try b.convolution("conv", x, channels: channels, kernel: [kernel, kernel], geometry: geometry, hasBias: true)
        let rectified = try b.apply("relu", ReLU(), conv)
        var graph = try b.finish(outputs: [rectified])
        let bias = [Float](repeating: -.infinity, count: channels)
        graph.parameters.update("conv.bias", try Tensor(bias))
        for batch in [1, 3] {
            let image = try ExecutionSamples.images([batch, 6, 12, 10])
            let result = try InferenceProgram(graph, batch: batch).run([image])[0]
            #expect(try result.contiguous().array(of: Float.self).allSatisfy { $0 == 0 })
        }
    }

    /// A weight that is none makes the results none, in bfloat16 too.
    @Test(arguments: [Float.nan, .infinity]) func ofAWeight(value: Float) throws {
        var graph = try ExecutionSamples.trainedLikeResNet(imageShape: [6, 12, 10])
        let name = try #require(graph.parameters.names.first { $0.hasSuffix("conv1.weight") })
        let weight = try #require(graph.parameters[name]).tensor.copy()
        try weight.withMutableElements(of: Float.self) { $0[5] = value }
        graph.parameters.update(name, weight)
        let image = try ExecutionSamples.images([2, 6, 12, 10])
        for precision in [Precision.float32, .bfloat16] {
            guard (try? precision.checkProcessor()) != nil else { continue }
            let results = try InferenceProgram(graph, batch: 2, precision: precision).run([image])
            #expect(try places(results).allSatisfy { !$0.contains(false) }, "\(precision)")
        }
    }

    #if arch(x86_64)
        /// Finite weights and images, whose activations overflow: ∞ − ∞ before a ReLU is no zero.
        @Test(arguments: Precision.allCases) func ofWhatOverflowsInside(precision: Precision) throws {
            guard (try? precision.checkProcessor()) != nil else { return }
            var b = GraphBuilder(name: "overflow", seed: 2)
            let x = b.input("images", [16, 6, 6])
            let first = try b.convolution("a", x, channels: 16, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
            let second = try b.convolution("b", b.apply("r", ReLU(), first), channels: 16, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
            let last = try b.apply("s", ReLU(), second)
            var graph = try b.finish(outputs: [last])
            for name in graph.parameters.names {
                let weight = try #require(graph.parameters[name]).tensor.multiplying(1e30)
                graph.parameters.update(name, weight)
            }
            let program = try InferenceProgram(graph, batch: 1, precision: precision)
            let image = try ExecutionSamples.images([1, 16, 6, 6]).multiplying(1e10)
            let expected = try places(ExecutionSamples.onTape(graph, [image]).outputs.map(\.tensor))
            #expect(expected[0].contains(true))
            #expect(try places(program.run([image])) == expected && program.carefulRunCount == 1)
        }

        /// Weights and images that are small enough, of a network that makes something large of them: only the values in between
        /// tell.
        @Test(arguments: [1, 8]) func ofWhatOverflowsInsideInBFloat16(batch: Int) throws {
            guard (try? Precision.bfloat16.checkProcessor()) != nil else { return }
            var b = GraphBuilder(name: "growth", seed: 2)
            var x = b.input("images", [16, 6, 6])
            for layer in 0..<6 {
                x = try b.convolution("c\(layer)", x, channels: 16, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
                if layer > 0 { x = try b.apply("r\(layer)", ReLU(), x) }
            }
            var graph = try b.finish(outputs: [x])
            for name in graph.parameters.names {
                graph.parameters.update(name, try #require(graph.parameters[name]).tensor.multiplying(1e13))
            }
            let program = try InferenceProgram(graph, batch: batch, precision: .bfloat16)
            let image = try ExecutionSamples.images([batch, 16, 6, 6])
            let expected = try places(ExecutionSamples.onTape(graph, [image]).outputs.map(\.tensor))
            #expect(expected[0].contains(true))
            #expect(try places(program.run([image])) == expected && program.carefulRunCount == 1)
            // What was large in one run is not in the next.
            _ = try program.run([image.multiplying(0)])
            #expect(program.carefulRunCount == 1)
        }

        @Test(arguments: [1, 4, 9]) func ordinaryRunsInBFloat16AreTheFastOnes(batch: Int) throws {
            guard (try? Precision.bfloat16.checkProcessor()) != nil else { return }
            for graph in try Self.graphs() {
                let program = try InferenceProgram(graph, batch: batch, precision: .bfloat16)
                for seed in 1..<6 { _ = try program.run([ExecutionSamples.images([batch, 6, 12, 10], seed: UInt64(seed))]) }
                #expect(program.carefulRunCount == 0, "\(graph.name)")
            }
        }

        /// What the processor notes for other reasons costs one run, and none after it.
        @Test func ordinaryRunsAreTheFastOnes() throws {
            let zeros = try Tensor.zeros([4])
            for graph in try Self.graphs() {
                let program = try InferenceProgram(graph, batch: 4)
                _ = try zeros.dividing(zeros)
                for seed in 1..<6 { _ = try program.run([ExecutionSamples.images([4, 6, 12, 10], seed: UInt64(seed))]) }
                #expect(program.carefulRunCount <= 1, "\(graph.name)")
            }
        }
    #endif
}
