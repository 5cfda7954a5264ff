import Basics
public import Formats
public import Graphs
import Operations
import Tensors

/// A graph's structure as JSON: everything but the parameters' values.
public enum GraphDocument {
    /// The version of the layout that is written; files of a later one are refused.
    static let version = 1

    public static func encode(_ graph: Graph) -> JSONValue {
        [
            "version": .integer(Int64(version)),
            "name": .string(graph.name),
            "inputs": .array(
                graph.inputs.map { ["name": .string($0.name), "shape": integers($0.sampleShape.dims)] }),
            "nodes": .array(graph.nodes.map(encode)),
            "outputs": .array(graph.outputs.map { .string($0) }),
            "parameters": .array(
                graph.parameters.names.map {
                    ["name": .string($0), "trainable": .bool(graph.parameters[$0]?.isTrainable ?? false)]
                }),
        ]
    }

    private static func integers(_ values: [Int]) -> JSONValue { .array(values.map { .integer(Int64($0)) }) }

    private static func encode(_ node: Node) -> JSONValue {
        var object: JSONObject = [
            "name": .string(node.name),
            "operation": .string(node.operation.name),
        ]
        var attributes = JSONObject()
        for (name, value) in node.operation.attributes.values.sorted(by: { $0.key < $1.key }) {
            attributes[name] =
                switch value {
                case .int(let int): .integer(Int64(int))
                case .ints(let ints): integers(ints)
                case .float(let float): .number(float)
                case .bool(let bool): .bool(bool)
                case .string(let string): .string(string)
                }
        }
        object["attributes"] = .object(attributes)
        object["inputs"] = .array(
            node.inputs.map { source in
                switch source {
                case .value(let name): ["value": .string(name)]
                case .parameter(let name): ["parameter": .string(name)]
                }
            })
        if node.outputCount != 1 { object["outputs"] = .integer(Int64(node.outputCount)) }
        if let origin = node.origin { object["origin"] = encode(origin) }
        return .object(object)
    }

    static func encode(_ origin: Origin) -> JSONValue {
        var entry: JSONObject = [
            "layer": .string(origin.layer), "format": .string(origin.format),
            "position": .integer(Int64(origin.position)), "count": .integer(Int64(origin.count)),
        ]
        if let dense = origin.dense {
            func numbers(_ values: [Int]) -> JSONValue { .array(values.map { .integer(Int64($0)) }) }
            entry["weight"] = numbers(dense.weight.dims)
            if let geometry = dense.geometry {
                entry["stride"] = numbers(geometry.stride)
                entry["padding"] = numbers(geometry.padding)
                entry["dilation"] = numbers(geometry.dilation)
                entry["groups"] = .integer(Int64(geometry.groups))
            }
        }
        return .object(entry)
    }
}
