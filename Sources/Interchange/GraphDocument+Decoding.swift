import Basics
public import Formats
public import Graphs
import Operations
public import Tensors

extension GraphDocument {
    /// The graph a document describes, with its parameters from `tensors`, verified.
    /// - Throws: `InterchangeFailure` naming the part of the document that is wrong; what the verifier throws.
    public static func decode(_ document: JSONValue, source: String, tensors: (String) -> Tensor?) throws -> Graph {
        let reader = DocumentReader(source: source)
        let version = try reader.integer(document, "version", in: "graph")
        guard version == self.version else {
            throw InterchangeFailure.unsupportedVersion(source: source, version: version, supported: self.version)
        }
        var graph = Graph(name: try reader.string(document, "name", in: "graph"))
        graph.inputs = try reader.array(document, "inputs", in: "graph").map { input in
            let name = try reader.string(input, "name", in: "input")
            return GraphInput(name: name, sampleShape: Shape(try reader.integers(input, "shape", in: "input \(name)")))
        }
        for entry in try reader.array(document, "parameters", in: "graph") {
            let name = try reader.string(entry, "name", in: "parameter")
            guard let trainable = entry["trainable"]?.bool else {
                throw InterchangeFailure.malformed(source: source, place: "parameter \(name)", detail: "'trainable' is missing")
            }
            guard let tensor = tensors(name) else {
                throw InterchangeFailure.missingTensor(source: source, name: name)
            }
            guard tensor.dtype == .float32 else {
                throw InterchangeFailure.malformed(
                    source: source, place: "parameter \(name)", detail: "is \(tensor.dtype), but must be float32")
            }
            graph.parameters[name] = .init(tensor: tensor, isTrainable: trainable)
        }
        graph.nodes = try reader.array(document, "nodes", in: "graph").map { try node($0, reader) }
        graph.outputs = try reader.array(document, "outputs", in: "graph").map { value in
            guard let name = value.string else {
                throw InterchangeFailure.malformed(source: source, place: "outputs", detail: "must be names")
            }
            return name
        }
        try Verifier.verify(graph)
        return graph
    }

    private static func node(_ entry: JSONValue, _ reader: DocumentReader) throws -> Node {
        let name = try reader.string(entry, "name", in: "node")
        let kind = try reader.string(entry, "operation", in: "node \(name)")
        var attributes: [String: AttributeValue] = [:]
        for (key, value) in entry["attributes"]?.object?.members ?? [] {
            attributes[key] = try reader.attribute(value, key, in: "node \(name)")
        }
        let inputs = try reader.array(entry, "inputs", in: "node \(name)").map { source -> Source in
            if let value = source["value"]?.string { return .value(value) }
            return .parameter(try reader.string(source, "parameter", in: "input of node \(name)"))
        }
        let operation = try located(reader.source + " › " + name) { try OperationCatalog.make(kind, attributes) }
        let outputCount = try entry["outputs"].map { _ in try reader.integer(entry, "outputs", in: "node \(name)") } ?? 1
        guard (1...1024).contains(outputCount) else {
            throw InterchangeFailure.malformed(source: reader.source, place: "node \(name)", detail: "has \(outputCount) outputs")
        }
        let origin = try entry["origin"].map { try self.origin($0, of: name, reader) }
        return Node(name, operation, inputs, outputCount: outputCount, origin: origin)
    }

    static func origin(_ entry: JSONValue, of name: String, _ reader: DocumentReader) throws -> Origin {
        let place = "origin of \(name)"
        let (position, count) = (
            try reader.integer(entry, "position", in: place), try reader.integer(entry, "count", in: place)
        )
        guard (1...1024).contains(count), (0..<count).contains(position) else {
            throw InterchangeFailure.malformed(
                source: reader.source, place: place, detail: "position \(position) of \(count) is none in a chain")
        }
        // Until 0.2.0 the format was called grouping.
        let key = entry["format"] == nil && entry["grouping"] != nil ? "grouping" : "format"
        return Origin(
            layer: try reader.string(entry, "layer", in: place), format: try reader.string(entry, key, in: place),
            position: position, count: count,
            dense: try entry["weight"].map { _ in try dense(entry, in: place, reader) })
    }

    private static func dense(_ entry: JSONValue, in place: String, _ reader: DocumentReader) throws -> Origin.Dense {
        func numbers(_ key: String, _ counts: ClosedRange<Int>, least: Int) throws -> [Int] {
            let values = entry[key]?.array?.compactMap(\.integer) ?? []
            guard counts.contains(values.count), values.count == entry[key]?.array?.count,
                values.allSatisfy({ (least...1 << 31).contains($0) })
            else {
                throw InterchangeFailure.malformed(
                    source: reader.source, place: place, detail: "'\(key)' must be \(counts.upperBound) whole numbers")
            }
            return values
        }
        let weight = Shape(try numbers("weight", 2...4, least: 1))
        guard entry["stride"] != nil else { return Origin.Dense(weight: weight, geometry: nil) }
        return Origin.Dense(
            weight: weight,
            geometry: ConvolutionGeometry(
                stride: try numbers("stride", 2...2, least: 1), padding: try numbers("padding", 4...4, least: 0),
                dilation: try numbers("dilation", 2...2, least: 1), groups: try reader.integer(entry, "groups", in: place)))
    }
}

/// Typed access to a document, with errors that name the place.
struct DocumentReader {
    let source: String

    func string(_ value: JSONValue, _ key: String, in place: String) throws -> String {
        guard let text = value[key]?.string else { throw malformed(place, key, "a string", value[key]) }
        return text
    }

    func integer(_ value: JSONValue, _ key: String, in place: String) throws -> Int {
        guard let number = value[key]?.integer else { throw malformed(place, key, "a whole number", value[key]) }
        return number
    }

    func array(_ value: JSONValue, _ key: String, in place: String) throws -> [JSONValue] {
        guard let elements = value[key]?.array else { throw malformed(place, key, "an array", value[key]) }
        return elements
    }

    func integers(_ value: JSONValue, _ key: String, in place: String) throws -> [Int] {
        try array(value, key, in: place).map { element in
            guard let number = element.integer else { throw malformed(place, key, "whole numbers", element) }
            return number
        }
    }

    func attribute(_ value: JSONValue, _ key: String, in place: String) throws -> AttributeValue {
        if let bool = value.bool { return .bool(bool) }
        if let text = value.string { return .string(text) }
        if value.array != nil { return .ints(try integers([key: value], key, in: place)) }
        if let integer = value.integer { return .int(integer) }
        if let number = value.number { return .float(number) }
        throw malformed(place, key, "an attribute", value)
    }

    private func malformed(_ place: String, _ key: String, _ expected: String, _ got: JSONValue?) -> InterchangeFailure {
        .malformed(
            source: source, place: place, detail: "'\(key)' must be \(expected), but is \(got?.kind ?? "missing")")
    }
}
