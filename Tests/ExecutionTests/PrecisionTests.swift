import Basics
import Execution
import Graphs
import Operations
import Tensors
import Testing

/// Compiled models in bfloat16. On a processor without it they are refused, and that is what is tested there.
@Suite(.serialized) struct PrecisionTests {
    private static var isAvailable: Bool { (try? Precision.bfloat16.checkProcessor()) != nil }

    private static func graphs() throws -> [(graph: Graph, shape: [Int])] {
        var b = GraphBuilder(name: "mixed", seed: 3)
        var x = b.input("images", [6, 11, 13])
        x = try b.convolution("wide", x, channels: 40, kernel: [3, 3], geometry: .init(stride: 2, padding: 1), hasBias: true)
        let gate = try b.apply("sigmoid", Sigmoid(), x)
        x = try b.apply("times", Multiply(), x, gate)
        x = try b.convolution("depthwise", x, channels: 40, kernel: [3, 3], geometry: .init(stride: 1, padding: 1, groups: 40), hasBias: false)
        x = try b.apply("pool", AdaptiveAveragePool2D(rows: 2, columns: 3), x)
        let flat = try b.apply("flat", Flatten(), x)
        let logits = try b.linear("fc", flat, features: 7)
        return [
            (try CIFARResNet(depth: 8).build(seed: 1), [3, 32, 32]),
            (try VGG(depth: 11).build(seed: 2), [3, 32, 32]),
            (try b.finish(outputs: [logits]), [6, 11, 13]),
        ]
    }

    @Test(.enabled(if: isAvailable), arguments: [1, 2, 7, 40]) func resultsAgreeToThreeDigits(_ batch: Int) throws {
        for (graph, shape) in try Self.graphs() {
            var random = RandomSource(seed: 9)
            let images = try Tensor.normal(Shape([batch] + shape), using: &random)
            let exact = try InferenceEngine(graph).run([images])[0]
            let rounded = try InferenceEngine(graph, precision: .bfloat16).run([images])[0]
            let apart = try rounded.subtracting(exact).norm() / exact.norm()
            // Eight bits leave 2⁻⁹ per rounding, which adds up over the layers; float32 would leave 1e-6.
            #expect(apart < 0.05 && apart > 1e-5, "\(graph.name), batch \(batch): \(apart)")
        }
    }

    @Test(.enabled(if: isAvailable)) func convolutionsRunInBFloat16() throws {
        let profile = try InferenceProfile.measure(CIFARResNet(depth: 8).build(seed: 1), batch: 2, runs: 3, precision: .bfloat16)
        let kernels = profile.rows.filter { $0.operation == "conv2d" }.map(\.implementation)
        #expect(kernels.count == 7 && kernels.dropFirst().allSatisfy { $0.contains("bf16") }, "\(kernels)")
        #expect(profile.rows.allSatisfy { !$0.implementation.hasPrefix("ref") })
    }

    @Test(.enabled(if: !isAvailable)) func otherProcessorsSaySo() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let failure = #expect(throws: ExecutionFailure.self) { try InferenceProgram(graph, batch: 1, precision: .bfloat16) }
        #expect(failure?.code == "execution.precision")
    }
}
