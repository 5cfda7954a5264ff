import Basics
import Formats
import Graphs
import Interchange
import Operations
import Tensors
import Testing

@Suite(.serialized) struct GraphDocumentTests {
    /// `document` with the member at `path` (keys and indices) replaced, or removed for `nil`.
    private func changed(_ document: JSONValue, _ path: [String], _ value: JSONValue?) -> JSONValue {
        guard let key = path.first else { return value ?? .null }
        let rest = Array(path.dropFirst())
        if var elements = document.array, let index = Int(key), elements.indices.contains(index) {
            elements[index] = changed(elements[index], rest, value)
            return .array(elements)
        }
        var object = document.object ?? JSONObject()
        object[key] = rest.isEmpty ? value : changed(object[key] ?? .null, rest, value)
        return .object(object)
    }

    private static let conv = ["nodes", "0"]
    private static let second = ["nodes", "1"]

    /// What is changed in a legal document (nodes 0 and 1 are convolutions), and what the error says.
    static let wrong: [(path: [String], value: JSONValue?, code: String, says: String)] = [
        (["version"], nil, "interchange.malformed", "'version' must be a whole number, but is missing"),
        (["version"], 2, "interchange.unsupportedVersion", "has version 2, but this Moonrail reads version 1"),
        (["version"], 0, "interchange.unsupportedVersion", "version 0"),
        (["version"], "1", "interchange.malformed", "but is a string"),
        (["name"], 5, "interchange.malformed", "'name' must be a string, but is a number"),
        (["inputs"], nil, "interchange.malformed", "'inputs' must be an array"),
        (["inputs"], [], "graph.unknownValue", "'images'"),
        (["inputs", "0", "shape"], ["a"], "interchange.malformed", "input images: 'shape' must be whole numbers"),
        (["inputs", "0", "shape"], [3, 0, 6], "graph.valueShape", "[1, 3, 0, 6]"),
        (["inputs", "0", "shape"], [3, -8, 6], "graph.valueShape", "[1, 3, -8, 6]"),
        (["inputs", "0", "shape"], [3, .integer(.max), .integer(.max)], "graph.valueShape", "absurdly large"),
        (["inputs", "0", "shape"], [4, 8, 6], "tensor.shapeMismatch", "disagree on the channels"),
        (["outputs"], [], "graph.noOutputs", "no outputs"),
        (["outputs"], ["nowhere"], "graph.unknownOutput", "'nowhere'"),
        (["outputs"], [1], "interchange.malformed", "outputs: must be names"),
        (["parameters", "0", "name"], "missing", "interchange.missingTensor", "parameter 'missing' is missing"),
        (["parameters", "0", "trainable"], nil, "interchange.malformed", "'trainable' is missing"),
        (["parameters"], [], "graph.unknownParameter", "'conv.weight'"),
        (conv + ["operation"], "conv2", "operation.unknown", "file › conv: unknown operation 'conv2' (did you mean 'conv2d'?)"),
        (conv + ["operation"], nil, "interchange.malformed", "node conv: 'operation' must be a string"),
        (["nodes", "4", "name"], "relu", "graph.duplicateName", "'relu' is given twice"),
        (conv + ["inputs", "0", "value"], "conv2", "graph.unknownValue", "made by no earlier node"),  // a cycle
        (conv + ["inputs", "0"], [:], "interchange.malformed", "input of node conv: 'parameter'"),
        (conv + ["inputs", "1", "parameter"], "fc.weight", "tensor.shapeMismatch", "conv2d: needs an input"),
        (conv + ["inputs"], [], "operation.inputCount", "needs 2 inputs, but got 0"),
        (conv + ["outputs"], 2, "graph.outputCount", "declares 2 output(s)"),
        (conv + ["outputs"], 0, "interchange.malformed", "has 0 outputs"),
        (conv + ["outputs"], .integer(.max), "interchange.malformed", "outputs"),
        (conv + ["attributes"], nil, "operation.attribute", "'stride' is missing"),
        (conv + ["attributes", "stride"], [-1, 1], "tensor.shapeMismatch", "are no geometry"),
        (conv + ["attributes", "stride"], [0, 0], "tensor.shapeMismatch", "are no geometry"),
        (conv + ["attributes", "stride"], [1], "operation.attribute", "'stride' must be 2 whole numbers"),
        (conv + ["attributes", "stride"], [1.5, 1], "interchange.malformed", "whole numbers"),
        (conv + ["attributes", "padding"], [.integer(.max), 1, 1, 1], "tensor.shapeMismatch", "are no geometry"),
        (conv + ["attributes", "padding"], [524288, 524288, 524288, 524288], "graph.valueShape", "absurdly large"),
        (conv + ["attributes", "dilation"], [.integer(.max), .integer(.max)], "tensor.shapeMismatch", "are no geometry"),
        (second + ["attributes", "groups"], .integer(.max), "tensor.shapeMismatch", "are no geometry"),
        (second + ["attributes", "groups"], 0, "tensor.shapeMismatch", "are no geometry"),
        (second + ["attributes", "groups"], nil, "operation.attribute", "'groups' is missing"),
        (second + ["attributes", "colour"], "red", "operation.attribute", "there is no attribute 'colour'"),
        (second + ["attributes", "bias"], nil, "operation.attribute", "'bias' is missing"),
        (second + ["attributes", "bias"], 1, "operation.attribute", "'bias' must be true or false, but is 1"),
        (second + ["attributes", "bias"], .null, "interchange.malformed", "'bias' must be an attribute, but is null"),
        (["nodes", "2", "attributes", "epsilon"], 0, "operation.attribute", "epsilon > 0"),
        (["nodes", "2", "attributes", "epsilon"], "NaN", "operation.attribute", "'epsilon' must be a number"),
        (["nodes", "2", "attributes", "momentum"], 2.5, "operation.attribute", "momentum in 0…1"),
        (["nodes", "4", "attributes", "kind"], "median", "operation.attribute", "unknown kind 'median'"),
        (["nodes", "5", "attributes", "step"], .integer(.max), "operation.shapes", "slice"),
        (conv + ["origin", "position"], 2, "interchange.malformed", "position 2 of 2"),
        (conv + ["origin", "position"], .integer(.max), "interchange.malformed", "origin of conv"),
        (conv + ["origin", "count"], .integer(.max), "interchange.malformed", "origin of conv"),
        (conv + ["origin"], [], "interchange.malformed", "origin of conv: 'position'"),
    ]

    @Test(arguments: wrong.indices) func wrongDocumentsNameThePlace(_ index: Int) throws {
        let (path, value, code, says) = Self.wrong[index]
        let graph = try InterchangeSamples.zoo()
        let document = changed(GraphDocument.encode(graph), path, value)
        do {
            _ = try InterchangeSamples.decode(document, graph)
            Issue.record("accepted \(path) = \(String(describing: value))")
        } catch {
            #expect((error as? any Failure)?.code == code, "\(path): \(error)")
            #expect("\(error)".contains(says), "\(path): \(error)")
        }
    }

    @Test func aParametersTensorMustBeFloat32() throws {
        let graph = try InterchangeSamples.zoo()
        let failure = #expect(throws: InterchangeFailure.self) {
            try GraphDocument.decode(GraphDocument.encode(graph), source: "file") { name in
                name == "fc.bias" ? try? Tensor.zeros([5], dtype: .int64) : graph.parameters[name]?.tensor
            }
        }
        #expect(failure?.description == "file: parameter fc.bias: is int64, but must be float32")
    }

    @Test func theDocumentIsPlainJSON() throws {
        let graph = try InterchangeSamples.zoo()
        let text = try GraphDocument.encode(graph).serialized()
        let again = try InterchangeSamples.decode(JSONValue.parse(text: text, source: "file"), graph)
        #expect(try GraphDocument.encode(again).serialized() == text)
    }
}
