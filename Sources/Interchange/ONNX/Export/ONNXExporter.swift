import Basics
import Formats
import Graphs
import ONNXMessages
import Operations
import Tensors

/// Writes a graph with the operators of the standard, opset 17, and an open batch.
///
/// Nodes that compression made are written like any others. What the graph holds fused is written as the operators it
/// was fused from.
enum ONNXExporter {
    static func message(of graph: Graph, notes: JSONObject, version: String?) throws -> Onnx_ModelProto {
        try Verifier.verify(graph)
        var writer = try ONNXWriter(graph)
        let inputs = graph.inputs.map { input in
            information(writer.name(of: input.name), Shape([2] + input.sampleShape.dims), Shape([3] + input.sampleShape.dims))
        }
        for node in graph.nodes {
            try Cancellation.check()
            try located(graph.name + " › " + node.name) { try ONNXNodeWriter.write(node, &writer) }
        }
        let three = try ShapeInference.shapes(of: graph, batch: 3)
        let outputs = try graph.outputs.map { try output($0, graph, writer.shapes[$0] ?? [], three[$0] ?? [], &writer) }
        writer.setInterface(inputs: inputs, outputs: outputs)
        var model = Onnx_ModelProto()
        model.irVersion = Int64(ONNXWriter.irVersion)
        model.producerName = "moonrail"
        if let version { model.producerVersion = version }
        var opset = Onnx_OperatorSetIdProto()
        opset.version = Int64(ONNXWriter.opset)
        model.opsetImport = [opset]
        model.graph = writer.message
        var origins = JSONObject()
        for node in graph.nodes {
            if let origin = node.origin { origins[writer.name(of: node.name)] = GraphDocument.encode(origin) }
        }
        model.metadataProps = try metadata([(ONNXFile.notesKey, notes), (ONNXFile.originsKey, origins)])
        return model
    }

    /// A result that is an input itself, or one that is given twice, needs a node of its own.
    private static func output(
        _ value: String, _ graph: Graph, _ two: Shape, _ three: Shape, _ writer: inout ONNXWriter
    ) throws -> Onnx_ValueInfoProto {
        let name = writer.name(of: value)
        let isInput = graph.inputs.contains { $0.name == value }
        let isRepeated = graph.outputs.filter { $0 == value }.count > 1
        guard isInput || isRepeated else { return information(name, two, three) }
        return information(try writer.add("Identity", [name], to: name + ".output"), two, three)
    }

    /// Extents that differ between two and three samples stay open; the one that is their number is called N.
    private static func information(_ name: String, _ two: Shape, _ three: Shape) -> Onnx_ValueInfoProto {
        var tensor = Onnx_TypeProto.Tensor()
        tensor.elemType = Int32(ElementType.float32)
        tensor.shape.dim = zip(two.dims, three.dims).map { a, b in
            var dim = Onnx_TensorShapeProto.Dimension()
            if a == b {
                dim.value = .dimValue(Int64(a))
            } else {
                dim.value = .dimParam(a == 2 && b == 3 ? "N" : "\(Extent(two: a, three: b))")
            }
            return dim
        }
        var information = Onnx_ValueInfoProto()
        information.name = name
        information.type.value = .tensorType(tensor)
        return information
    }

    private static func metadata(_ objects: [(key: String, object: JSONObject)]) throws -> [Onnx_StringStringEntryProto] {
        try objects.filter { !$0.object.members.isEmpty }.map { key, object in
            var entry = Onnx_StringStringEntryProto()
            entry.key = key
            entry.value = try JSONValue.object(object).serialized(allowsNonFinite: true)
            return entry
        }
    }
}
