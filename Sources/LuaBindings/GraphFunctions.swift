import Graphs
import LuaRuntime
import Operations
import Tensors

/// The graph of a model node by node, and the network that a changed copy is put together in. `model.nodes` and
/// `model:edit` are functions of the standard library, written in Lua.
enum GraphFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.define("nodes", in: state) { call in
            let graph = try call.object(1, "model", as: ModelObject.self).graph
            let shapes = try ShapeInference.shapes(of: graph, batch: 1)
            let counted = CostModel.countedParameters(of: graph)
            try call.push(graph.nodes.map { row(of: $0, in: graph, shapes, counted) })
            try call.push(graph.outputs)
        }
        try table.set(
            "edit",
            try state.function("Model:edit") { call in
                let model = try call.object(1, "model", as: ModelObject.self)
                let network = NetworkObject(
                    changing: model, Set(try call.strings(2, "changes")),
                    name: try call.optionalString(3, "name") ?? model.graph.name,
                    seed: try call.optionalInteger(4, "seed") ?? randomState.seed, in: call.state)
                try call.push(network)
                try call.push(LuaFields(model.graph.inputs.map { ($0.name, network.input($0.sampleShape, named: $0.name)) }))
            })
    }

    private static func row(
        of node: Node, in graph: Graph, _ shapes: [String: Shape], _ counted: Set<String>
    ) -> LuaFields {
        let parameters = node.parameterInputs.filter(counted.contains).compactMap { graph.parameters[$0] }
        var row: LuaFields = [
            "name": node.name, "op": node.operation.name, "inputs": node.valueInputs, "outputs": node.outputs,
            "shape": Array((shapes[node.name] ?? []).dims.dropFirst()), "parameters": node.parameterInputs,
            "params": parameters.reduce(0) { $0 + $1.tensor.elementCount },
            "attributes": attributes(of: node.operation),
        ]
        if let origin = node.origin { row.append("origin", origin.layer) }
        return row
    }

    /// The attributes of an operation, dimensions counted from 1.
    private static func attributes(of operation: any GraphOperation) -> LuaFields {
        LuaFields(
            operation.attributes.values.sorted { $0.key < $1.key }.map { key, value -> (String, any LuaConvertible) in
                switch value {
                case .int(let number): (key, key == "dim" ? number + 1 : number)
                case .ints(let numbers): (key, key == "dims" || key == "order" ? numbers.map { $0 + 1 } : numbers)
                case .float(let number): (key, number)
                case .bool(let flag): (key, flag)
                case .string(let text): (key, text)
                }
            })
    }
}
