import Autograd
import Basics
import Execution
import Formats
import Foundation
import Graphs
import Interchange
import Operations
import Tensors
import Testing

/// Whole nets as both exporters of PyTorch write them, against ONNX Runtime.
@Suite(.serialized) struct ONNXNetTests {
    static let tolerance = 1e-4

    private func nets() throws -> [ONNXCase] { try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nets.safetensors") }

    @Test func netsRunAsInONNXRuntime() throws {
        let cases = try nets()
        #expect(cases.count == 20)
        for example in cases {
            do {
                let graph = try ONNXFile.read(bytes: example.model, source: example.name).graph
                let result = try InferenceEngine(graph).run(example.inputs)
                #expect(try difference(result[0], example.outputs[0]) < Self.tolerance, "\(example.name)")
                let taped = try TapeExecutor(graph).forward(
                    example.inputs, parameters: graph.parameters, on: Tape(), isTraining: false).outputs
                #expect(try difference(taped[0].tensor, example.outputs[0]) < Self.tolerance, "\(example.name), on the tape")
            } catch {
                Issue.record("\(example.name): \(error)")
            }
        }
    }
}
