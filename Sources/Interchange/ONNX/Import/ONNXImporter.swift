import Basics
import Formats
package import Graphs
package import ONNXMessages
package import Tensors

/// Reads the graph of an ONNX file.
///
/// Opsets 9 to 21 and their operators as in `TranslationTable`. The first dimension of every input is the batch and
/// stays open, also where the file fixes it; the others must be fixed. Whatever does not depend on the input is worked
/// out at import, so that the shape arithmetic which exporters write does not appear in the graph.
/// - Reference: *Open Neural Network Exchange Intermediate Representation*, https://onnx.ai/onnx/repo-docs/IR.html
package struct ONNXImporter {
    /// The versions of the operators that are read: those of 9 to 21, and older and newer ones in which the operators of
    /// the table differ from these by no more than the types they take.
    static let opsets = 7...25
    /// Nodes beyond which a file is refused.
    private static let nodeLimit = 1 << 18

    let model: Onnx_ModelProto
    let source: String
    let opset: Int
    private let reader: ONNXTensorReader
    private var assembly: GraphAssembly
    /// What an export of ours noted about the links of chains, by the names of their nodes.
    private let origins: JSONObject
    private var values: [String: ONNXValue] = [:]
    /// How often each value is still to be read; one that is not needed any more gives its memory back.
    private var readCounts: [String: Int] = [:]
    /// By value, the layer whose bias is added to it.
    private var biasLayers: [String: String] = [:]
    /// What kept nodes from being read, in the order of the file.
    package private(set) var problems: [any Error] = []

    /// - Parameters:
    ///   - directory: where files of external data may lie; `nil` for a model from memory.
    ///   - outline: where the raw data of the model's tensors lies; `nil` for a model that has it in itself.
    package init(_ model: Onnx_ModelProto, source: String, directory: String?, outline: ONNXOutline? = nil) throws {
        self.model = model
        self.source = source
        reader = ONNXTensorReader(source: source, directory: directory, outline: outline)
        guard model.hasGraph, model.irVersion >= 1 else {
            throw InterchangeFailure.malformed(source: source, place: "model", detail: "is no ONNX model with a graph")
        }
        let imported = model.opsetImport.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }
        opset = Int(imported?.version ?? 1)
        guard Self.opsets.contains(opset) else {
            throw InterchangeFailure.unsupported(
                source: source, place: "model",
                detail: "its operators are of opset \(opset), but \(Self.opsets.lowerBound) to \(Self.opsets.upperBound) are read")
        }
        guard model.graph.node.count <= Self.nodeLimit else {
            throw InterchangeFailure.unsupported(
                source: source, place: "model", detail: "has \(model.graph.node.count) nodes, more than \(Self.nodeLimit)")
        }
        origins = try ONNXFile.metadata(ONNXFile.originsKey, of: model, source: source)
        assembly = GraphAssembly(name: model.graph.name.isEmpty ? "onnx" : model.graph.name)
    }

    /// Reads everything that can be read; `problems` holds the rest.
    package mutating func read() throws {
        try readInitializers()
        try readInputs()
        findBiases()
        for name in model.graph.node.flatMap(\.input) + model.graph.output.map(\.name) { readCounts[name, default: 0] += 1 }
        for node in model.graph.node {
            try Cancellation.check()
            try read(node)
        }
    }

    /// The values of the file's results.
    func results() throws -> [ONNXValue] {
        try model.graph.output.map { output in
            guard let value = values[output.name] else {
                throw InterchangeFailure.malformed(
                    source: source, place: "output '\(output.name)'", detail: "is made by no node")
            }
            return value
        }
    }

    /// The results of a model in which nothing depends on an input.
    package func constantResults() throws -> [Tensor] {
        if let problem = problems.first { throw problem }
        return try results().map { value in
            switch value {
            case .constant(let constant): return constant.tensor
            case .extents(let elements, let isScalar):
                if let tensor = try GraphAssembly.tensor(elements, isScalar: isScalar) { return tensor }
            case .value, .unknown: break
            }
            throw InterchangeFailure.unsupported(
                source: source, place: "model", detail: "a result that depends on an input, or on what cannot be read")
        }
    }

    /// The whole graph, verified.
    /// - Throws: the first problem, where there is one.
    package mutating func graph() throws -> Graph {
        if let problem = problems.first { throw problem }
        var names: [String] = []
        for (output, value) in zip(model.graph.output, try results()) {
            guard case .value(let name) = value else {
                throw InterchangeFailure.unsupported(
                    source: source, place: "output '\(output.name)'", detail: "a result that does not depend on the input")
            }
            names.append(name)
        }
        assembly.setOutputs(names)
        return try finished()
    }

    /// What could be read of a file with problems: the graph up to the values that nothing reads.
    mutating func partialGraph() throws -> Graph? {
        let nodes = assembly.graph.nodes
        let read = Set(nodes.flatMap(\.valueInputs))
        let loose = nodes.map(\.name).filter { !read.contains($0) }
        guard !loose.isEmpty else { return nil }
        assembly.setOutputs(loose)
        return try finished()
    }

    private mutating func finished() throws -> Graph {
        assembly.replaceNodes(try withOrigins(GraphCleanup.tidy(assembly.graph, links: Set(origins.members.map(\.key)))))
        return try located(source) {
            try Verifier.verify(assembly.graph)
            return assembly.graph
        }
    }

    /// The nodes with the layers that chains among them were made from.
    private func withOrigins(_ nodes: [Node]) throws -> [Node] {
        let reader = DocumentReader(source: source)
        return try nodes.map { node in
            guard let entry = origins[node.name] else { return node }
            var link = node
            link.origin = try GraphDocument.origin(entry, of: node.name, reader)
            return link
        }
    }

    // MARK: Parts of the file

    private func malformed(_ place: String, _ detail: String) -> InterchangeFailure {
        .malformed(source: source, place: place, detail: detail)
    }

    private mutating func readInitializers() throws {
        for message in model.graph.initializer {
            try Cancellation.check()
            guard !message.name.isEmpty, values[message.name] == nil else {
                throw malformed("tensor '\(message.name)'", "the name is missing or given twice")
            }
            let tensor = try reader.tensor(message)
            values[message.name] = .constant(ONNXConstant(tensor, name: message.name, isInitializer: true))
        }
    }

    private mutating func readInputs() throws {
        var names = Set<String>()
        for input in model.graph.input {
            guard names.insert(input.name).inserted else { throw malformed("input '\(input.name)'", "is given twice") }
            // Up to IR 3, initialisers are listed as inputs too.
            if values[input.name] != nil { continue }
            try readInput(input)
        }
        guard !assembly.graph.inputs.isEmpty || !model.graph.node.isEmpty else { throw malformed("model", "is empty") }
    }

    private mutating func readInput(_ input: Onnx_ValueInfoProto) throws {
        let place = "input '\(input.name)'"
        guard !input.name.isEmpty, case .tensorType(let type)? = input.type.value, type.hasShape else {
            throw malformed(place, "is no tensor of a known shape")
        }
        let dims = type.shape.dim
        guard !dims.isEmpty else {
            throw InterchangeFailure.unsupported(source: source, place: place, detail: "a scalar, without a batch")
        }
        var fixedBatch: Int?
        if case .dimValue(let number)? = dims[0].value, (1..<1 << 20).contains(number) { fixedBatch = Int(number) }
        let extents = try dims.enumerated().dropFirst().map { position, dim -> Int in
            guard case .dimValue(let number)? = dim.value, (1..<1 << 30).contains(number) else {
                let name = if case .dimParam(let name)? = dim.value { " ('\(name)')" } else { "" }
                throw InterchangeFailure.unsupported(
                    source: source, place: place,
                    detail: "dimension \(position)\(name) is open; export the model with a fixed size")
            }
            return Int(number)
        }
        let name = assembly.uniqueName(input.name)
        try assembly.addInput(name, sampleShape: Shape(extents), fixedBatch: fixedBatch)
        values[input.name] = .value(name)
    }

    private mutating func findBiases() {
        let names = Set(model.graph.initializer.lazy.map(\.name).filter { $0.hasSuffix(".bias") && $0.count > 5 })
        for node in model.graph.node where node.opType == "Add" && node.input.count == 2 {
            for (value, bias) in [(node.input[0], node.input[1]), (node.input[1], node.input[0])] where names.contains(bias) {
                biasLayers[value] = String(bias.dropLast(5))
            }
        }
    }

    private mutating func read(_ message: Onnx_NodeProto) throws {
        let inputs = try message.input.map { name -> ONNXValue? in
            if name.isEmpty { return nil }
            guard let value = values[name] else {
                let title = message.name.isEmpty ? message.output.first ?? "unnamed node" : message.name
                throw malformed("node '\(title)' (\(message.opType))", "input '\(name)' is made by no earlier node")
            }
            return value
        }
        let biasLayer = message.output.first.flatMap { biasLayers[$0] }
        let node = ONNXNode(
            proto: message, inputs: inputs, opset: opset, source: source, outline: reader.outline, biasLayer: biasLayer,
            isLinkOfChain: origins[message.name.isEmpty ? message.output.first ?? "" : message.name] != nil)
        var outputs: [ONNXValue]
        do {
            outputs = try translate(node)
        } catch let interruption as Interrupted {
            throw interruption
        } catch {
            problems.append(error is InterchangeFailure ? error : LocatedFailure(path: [source, node.place], underlying: error))
            outputs = message.output.map { _ in .unknown }
        }
        for (position, name) in message.output.enumerated() where !name.isEmpty {
            guard values[name] == nil else { throw malformed(node.place, "its output '\(name)' is made before") }
            values[name] = position < outputs.count ? outputs[position] : .unknown
        }
        for name in message.input {
            readCounts[name, default: 0] -= 1
            if readCounts[name] == 0 { values[name] = .unknown }
        }
    }

    private mutating func translate(_ node: ONNXNode) throws -> [ONNXValue] {
        let unknowns = node.inputs.contains { if case .unknown? = $0 { true } else { false } }
        let domain = node.proto.domain
        if domain.isEmpty || domain == "ai.onnx" {
            if unknowns {
                try requireKnown(node)
                return node.proto.output.map { _ in .unknown }
            }
            if let known = try ShapeArithmetic.fold(node, assembly) { return known }
            if let translation = TranslationTable.all[node.operatorName] { return try translation(node, &assembly) }
        }
        throw unsupportedOperator(node)
    }

    /// Of what stands behind something that cannot be read, every operator that is missing is named once.
    private func requireKnown(_ node: ONNXNode) throws {
        if TranslationTable.all[node.operatorName] != nil || ShapeArithmetic.knows(node.operatorName) { return }
        let isNamed = problems.contains {
            if case .unsupportedOperator(_, node.operatorName, _, _)? = $0 as? InterchangeFailure { true } else { false }
        }
        if !isNamed { throw unsupportedOperator(node) }
    }

    private func unsupportedOperator(_ node: ONNXNode) -> InterchangeFailure {
        let domain = node.proto.domain
        let name = domain.isEmpty ? node.operatorName : "\(domain).\(node.operatorName)"
        return .unsupportedOperator(source: source, name: name, node: node.title, opset: opset)
    }
}
