import Basics
import Execution
import Formats
import Graphs
import Interchange
import Operations
import Tensors
import Testing

@Suite(.serialized) struct ModelFileTests {
    private func expectSame(_ a: Graph, _ b: Graph) throws {
        #expect(try GraphDocument.encode(a) == GraphDocument.encode(b))
        #expect(a.parameters.names == b.parameters.names && a.parameters.trainableNames == b.parameters.trainableNames)
        #expect(try InterchangeSamples.bits(a) == InterchangeSamples.bits(b))
        #expect(a.nodes.map(\.origin) == b.nodes.map(\.origin) && a.inputs == b.inputs && a.outputs == b.outputs)
        for (x, y) in zip(a.nodes, b.nodes) { #expect(x.operation.attributes == y.operation.attributes, "\(x.name)") }
    }

    private static func model(_ name: String) throws -> Graph {
        switch name {
        case "zoo": try InterchangeSamples.zoo()
        case "vit": try ONNXSamples.transformer.build(seed: 4)
        default: try CIFARResNet(depth: 8, imageShape: [1, 12, 12]).build(seed: 4)
        }
    }

    @Test(arguments: ["zoo", "resnet8", "vit"]) func aModelComesBackBitForBit(_ name: String) throws {
        let graph = try Self.model(name)
        var random = RandomSource(seed: 3)
        let image = try Tensor.normal(Shape([2] + graph.inputs[0].sampleShape.dims), using: &random)
        let optimizerState: [(name: String, tensor: Tensor)] = [
            ("momentum/fc.weight", try .normal([3, 4], using: &random)),
            ("order", try Tensor([Int64]([4, -1, .max]))), ("epoch", try .full([], 7)),
        ]
        let notes: JSONObject = [
            "accuracy": 0.1, "epochs": 12, "seed": .integer(.max), "plan": ["ranks": [8, 16], "reason": "ünïcode \"quoted\"\n"],
            "none": nil,
        ]
        try InterchangeSamples.withFile { path in
            try ModelFile(graph: graph, notes: notes, optimizerState: optimizerState).write(to: path)
            let read = try ModelFile(path: path)
            try expectSame(read.graph, graph)
            #expect(read.notes == notes)
            #expect(read.optimizerState.map(\.name) == optimizerState.map(\.name))
            for (a, b) in zip(read.optimizerState, optimizerState) {
                #expect(a.tensor.shape == b.tensor.shape && a.tensor.dtype == b.tensor.dtype, "\(a.name)")
            }
            #expect(try read.optimizerState[0].tensor.array(of: Float.self) == optimizerState[0].tensor.array(of: Float.self))
            #expect(try read.optimizerState[1].tensor.array(of: Int64.self) == [4, -1, .max])
            let before = try InferenceEngine(graph).run([image])
            let after = try InferenceEngine(read.graph).run([image])
            #expect(try before.map { try $0.array(of: Float.self) } == after.map { try $0.array(of: Float.self) })
        }
    }

    /// Infinities, NaN and subnormal numbers are values like others.
    @Test func oddFloatsSurvive() throws {
        var graph = try InterchangeSamples.zoo()
        graph.parameters.update("fc.bias", try Tensor([.infinity, -.infinity, .nan, -0.0, .leastNonzeroMagnitude] as [Float]))
        graph.parameters["fc.bias"]?.isTrainable = false
        try InterchangeSamples.withFile { path in
            try ModelFile(graph: graph).write(to: path)
            try expectSame(ModelFile(path: path).graph, graph)
        }
    }

    @Test func filesWithoutAModelAreRefused() throws {
        try InterchangeSamples.withFile { path in
            try SafetensorsFile(tensors: [("w", .ones([2]))]).write(to: path)
            let failure = #expect(throws: InterchangeFailure.self) { try ModelFile(path: path) }
            #expect(failure?.code == "interchange.noGraph")
            for text in ["", "null", "[]", "{", "{}", "\u{0}"] {
                try SafetensorsFile(tensors: [("w", .ones([2]))], metadata: ["moonrail.graph": text]).write(to: path)
                let error = #expect(throws: (any Error).self) { try ModelFile(path: path) }
                #expect(error is any Failure, "\(text)")
            }
        }
        let missing = #expect(throws: (any Error).self) { try ModelFile(path: "/nonexistent/model.safetensors") }
        #expect(missing is any Failure)
    }

    @Test func aTensorCannotTakeAParametersName() throws {
        let graph = try InterchangeSamples.zoo()
        _ = try InterchangeSamples.withFile { path in
            #expect(throws: (any Error).self) {
                try ModelFile(graph: graph, optimizerState: [("a", .ones([1])), ("a", .ones([1]))]).write(to: path)
            }
        }
    }
}
