import Graphs
import LuaRuntime
import Operations
import Tensors

/// Layers that act on each element, and normalisations.
extension LayerFunctions {
    static func addActivations(to table: LuaTable, in state: LuaState) throws {
        for type in OperationCatalog.elementFunctions {
            guard let script = type.script, script.isLayer else { continue }
            try define(script.name, in: state, table) { options in
                let operation = try operation(type, script, options)
                return LayerObject(script.name, name: try options.optionalString("name")) { try $0.apply($1, operation, $2[0]) }
            }
        }
        try define("softmax", in: state, table) { options in
            LayerObject("softmax", name: try options.optionalString("name")) { try $0.apply($1, Softmax(), $2[0]) }
        }
        try define("prelu", in: state, table) { options in
            LayerObject("prelu", name: try options.optionalString("name")) { try $0.parametricReLU($1, $2[0]) }
        }
    }

    /// A function of one element with the attributes that the layer's options give; the others are the usual ones.
    private static func operation(
        _ type: any ElementFunction.Type, _ script: ScriptFunction, _ options: OptionReader
    ) throws -> any GraphOperation {
        let layer = "mr.nn." + script.name
        var attributes = type.usual.attributes.values
        for option in OptionTable.options(of: layer) ?? [] where option.name != "name" {
            attributes[option.name] =
                switch option.kind {
                case "number": .float(try options.number(option.name))
                case "integer": .int(try options.integer(option.name))
                case "boolean": .bool(try options.boolean(option.name))
                default: .string(try options.string(option.name))
                }
        }
        do {
            return try OperationCatalog.make(type.name, attributes)
        } catch OperationFailure.attribute(_, let detail) {
            throw OperationFailure.attribute(operation: layer, detail: detail)
        }
    }

    static func addNormalizations(to table: LuaTable, in state: LuaState) throws {
        try define("batch_norm", in: state, table) { options in
            let epsilon = try options.number("epsilon")
            let momentum = try options.number("momentum")
            guard epsilon > 0, epsilon.isFinite else { throw options.invalid("epsilon", "must be positive, got \(epsilon)") }
            guard (0...1).contains(momentum) else { throw options.invalid("momentum", "must be in 0…1, got \(momentum)") }
            return LayerObject("bn", name: try options.optionalString("name")) { builder, name, inputs in
                try builder.batchNorm(name, inputs[0], epsilon: epsilon, momentum: momentum)
            }
        }
        try define("layer_norm", in: state, table) { options in
            let count = try options.integer("dimensions")
            let epsilon = try options.number("epsilon")
            guard epsilon > 0, epsilon.isFinite else { throw options.invalid("epsilon", "must be positive, got \(epsilon)") }
            return LayerObject("norm", name: try options.optionalString("name")) { builder, name, inputs in
                try builder.layerNorm(name, inputs[0], dimensionCount: count, epsilon: epsilon)
            }
        }
    }
}
