import Autograd
import Basics
import Execution
import Formats
import Foundation
import Graphs
import Interchange
import ONNXMessages
import Operations
import Tensors
import Testing

/// Whole nets as both exporters of PyTorch write them, against ONNX Runtime.
@Suite(.serialized) struct ONNXNetTests {
    static let tolerance = 1e-4

    private func nets() throws -> [ONNXCase] { try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nets.safetensors") }

    @Test func netsRunAsInONNXRuntime() throws {
        let cases = try nets()
        #expect(cases.count == 30)
        for example in cases {
            do {
                let graph = try ONNXFile.read(bytes: example.model, source: example.name).graph
                let results = try InferenceEngine(graph).run(example.inputs)
                let taped = try TapeExecutor(graph).forward(
                    example.inputs, parameters: graph.parameters, on: Tape(), isTraining: false
                ).outputs
                try #require(results.count == example.outputs.count)
                for (position, expected) in example.outputs.enumerated() {
                    #expect(try difference(results[position], expected) < Self.tolerance, "\(example.name)")
                    #expect(try difference(taped[position].tensor, expected) < Self.tolerance, "\(example.name), on the tape")
                }
            } catch {
                Issue.record("\(example.name): \(error)")
            }
        }
    }

    /// Where the file fixes the number of samples, which then stands in its shapes, any number of them can be run.
    @Test func fixedBatchesAreOpened() throws {
        for example in try nets() where example.name.hasSuffix("fixed") {
            let engine = try InferenceEngine(ONNXFile.read(bytes: example.model, source: example.name).graph)
            var random = RandomSource(seed: 12)
            let samples = try (0..<3).map { _ in try Tensor.normal(example.inputs[0].shape, using: &random) }
            let alone = try samples.map { try engine.run([$0]) }
            let together = try engine.run([.concatenated(samples, dim: 0)])
            for (position, result) in together.enumerated() {
                let expected = try Tensor.concatenated(alone.map { $0[position] }, dim: 0)
                #expect(try difference(result, expected) < Self.tolerance, "\(example.name)")
            }
        }
    }

    /// Made of the shape of the input, as for the first state of a recurrence: a constant for every sample.
    @Test func constantsAreMadeForEverySample() throws {
        var value = Onnx_AttributeProto()
        (value.name, value.type, value.t) = ("value", .tensor, try ONNXTensorWriter.message(of: Tensor([2] as [Float]), name: ""))
        var filled = ONNXSamples.node("ConstantOfShape", ["shape"], ["twos"])
        filled.attribute = [value]
        let model = try ONNXSamples.model([
            ONNXSamples.node("Shape", ["x"], ["shape"]), filled, ONNXSamples.node("Add", ["x", "twos"], ["y"]),
        ])
        let graph = try ONNXFile.read(bytes: ONNXCoding.encode(model)).graph
        let result = try InferenceEngine(graph).run([.ones([5, 3, 8, 8])])[0]
        #expect(try difference(result, .full([5, 3, 8, 8], 3)) == 0)
    }

    /// The names that the layers have in PyTorch, whatever an exporter did to the weights.
    @Test func layersAreCalledAsInPyTorch() throws {
        for example in try nets() where example.name.hasPrefix("attention") {
            let graph = try ONNXFile.read(bytes: example.model, source: example.name).graph
            let names = try WeightedLayers.layers(of: graph).map(\.name)
            #expect(names == ["patch", "qkv", "out", "up", "down", "head"], "\(example.name)")
        }
    }

    /// Well-known networks, whose sizes are known: for a batch of one in the file, left open here.
    @Test(arguments: [("resnet50", 25_557_032, 54), ("squeezenet", 1_235_496, 26), ("shufflenet", 1_393_320, 50)])
    func wellKnownNetworksHaveTheirSize(_ name: String, _ parameterCount: Int, _ layerCount: Int) throws {
        let light = try ONNXCase.all(in: ONNXCase.fixtures + "onnx_light.safetensors")
        let example = try #require(light.first { $0.name == name })
        let graph = try ONNXFile.read(bytes: example.model, source: name).graph
        #expect(try CostModel.cost(of: graph).parameterCount == parameterCount)
        let layers = try WeightedLayers.layers(of: graph)
        #expect(layers.count == layerCount)
        #expect(layers.filter(\.isClassifier).map(\.name) == [layers.last?.name])
        #expect(try ShapeInference.shapes(of: graph, batch: 7)[graph.outputs[0]]?.dims.prefix(2) == [7, 1000])
    }

    /// What stands before the operator that is missing can be looked at.
    @Test func alexNetNamesWhatIsMissing() throws {
        let light = try ONNXCase.all(in: ONNXCase.fixtures + "onnx_light.safetensors")
        let example = try #require(light.first { $0.name == "bvlc_alexnet" })
        try InterchangeSamples.withFile { path in
            try AtomicFile.write(path) { append in try example.model.withUnsafeBytes { try append($0) } }
            let seen = try ONNXFile.inspect(path)
            #expect(seen.problems.count == 1)
            #expect("\(seen.problems[0])".contains("the operator LRN of opset 9 is not supported"))
            #expect(seen.graph?.nodes.map(\.operation.name) == ["conv2d", "relu"])
            #expect(seen.operatorCounts.first { $0.name == "Conv" }?.count == 5)
        }
    }

    /// A tuned copy learns: imported layers have gradients down to the first one.
    @Test func importedNetsCanBeTuned() throws {
        for example in try nets() where example.name.hasSuffix("script-17") || example.name.hasSuffix("dynamo-18") {
            let graph = try ONNXFile.read(bytes: example.model, source: example.name).graph
            let tape = Tape()
            let result = try TapeExecutor(graph).forward(example.inputs, parameters: graph.parameters, on: tape, isTraining: true)
            let losses = try result.outputs.map { output in
                try tape.apply(Sum(isMean: true), [tape.apply(Multiply(), [output, output])[0]])[0]
            }
            let loss = try losses.dropFirst().reduce(losses[0]) { sum, next in try tape.apply(Add(), [sum, next])[0] }
            let gradients = try tape.gradients(of: loss)
            for name in graph.parameters.trainableNames {
                let variable = try #require(result.parameters[name], "\(name)")
                #expect(try gradients[variable]?.norm() ?? 0 > 0, "\(example.name) › \(name)")
            }
        }
    }
}
