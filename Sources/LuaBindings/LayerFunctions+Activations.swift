import Graphs
import LuaRuntime
import Operations
import Tensors

/// Layers that act on each element, and normalisations.
extension LayerFunctions {
    static func addActivations(to table: LuaTable, in state: LuaState) throws {
        let plain: [(String, any GraphOperation)] = [
            ("relu", ReLU()), ("sigmoid", Sigmoid()), ("tanh", Tanh()), ("silu", SiLU()), ("hard_swish", HardSwish()),
            // The line that PyTorch takes; ONNX's default is steeper.
            ("hard_sigmoid", HardSigmoid(alpha: 1.0 / 6, beta: 0.5)), ("softmax", Softmax()),
        ]
        for (name, operation) in plain {
            try define(name, in: state, table) { options in
                LayerObject(name, name: try options.optionalString("name")) { try $0.apply($1, operation, $2[0]) }
            }
        }
        try define("clip", in: state, table) { options in
            let (low, high) = (try options.number("min"), try options.number("max"))
            guard low <= high, low.isFinite, high.isFinite else {
                throw options.invalid("min", "and max must be finite numbers in order, got \(low) and \(high)")
            }
            return LayerObject("clip", name: try options.optionalString("name")) {
                try $0.apply($1, Clip(low: low, high: high), $2[0])
            }
        }
        try define("leaky_relu", in: state, table) { options in
            let slope = try options.number("slope")
            guard slope.isFinite else { throw options.invalid("slope", "must be a finite number, got \(slope)") }
            return LayerObject("leaky_relu", name: try options.optionalString("name")) {
                try $0.apply($1, LeakyReLU(slope: slope), $2[0])
            }
        }
        try define("prelu", in: state, table) { options in
            LayerObject("prelu", name: try options.optionalString("name")) { try $0.parametricReLU($1, $2[0]) }
        }
        try define("gelu", in: state, table) { options in
            let isApproximate = try options.boolean("approximate")
            return LayerObject("gelu", name: try options.optionalString("name")) {
                try $0.apply($1, GELU(isApproximate: isApproximate), $2[0])
            }
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
