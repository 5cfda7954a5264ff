import Basics
package import COneDNN

/// A function of one element that oneDNN computes, behind a convolution or over a whole activation.
package struct ActivationFunction: Hashable, Sendable {
    /// One of oneDNN's functions.
    package struct Stage: Hashable, Sendable {
        private let function: UInt32
        private let alpha: Float
        private let beta: Float

        fileprivate init(_ function: cod_function, _ alpha: Float = 0, _ beta: Float = 0) {
            self.function = function.rawValue
            self.alpha = alpha
            self.beta = beta
        }

        var cod: cod_activation {
            cod_activation(function: cod_function(rawValue: function), alpha: alpha, beta: beta)
        }

        struct Key: Hashable, Sendable {
            let dims: [Int]
            let format: UInt32
            let stage: Stage
        }

        /// The primitive over an activation N×C×H×W; it may work in place.
        package func primitive(_ shape: Shape, _ format: ActivationFormat) throws -> Primitive {
            let key = Key(dims: shape.dims, format: format.cod.rawValue, stage: self)
            return try ComputeContext.current.primitives.primitive(for: .activation(key)) {
                let d = key.dims.map { Int64($0) }
                var activation = cod
                return try Primitive("activation") {
                    cod_activation_create(d[0], d[1], d[2], d[3], format.cod, &activation)
                }
            }
        }
    }

    /// One or two, one after the other.
    package let stages: [Stage]

    /// max(x, 0), or with a slope for what is negative.
    package static func rectifier(slope: Float = 0) -> Self { Self(stages: [Stage(cod_relu, slope)]) }
    /// slope · x + offset.
    package static func line(slope: Float, offset: Float) -> Self { Self(stages: [Stage(cod_line, slope, offset)]) }
    package static func clip(low: Float, high: Float) -> Self { Self(stages: [Stage(cod_clip, low, high)]) }
    package static let sigmoid = Self(stages: [Stage(cod_sigmoid)])
    /// slope · x + offset, limited to 0…1. oneDNN 2 has no single function for this.
    package static func hardSigmoid(slope: Float, offset: Float) -> Self {
        Self(stages: line(slope: slope, offset: offset).stages + clip(low: 0, high: 1).stages)
    }
    package static let tanh = Self(stages: [Stage(cod_tanh)])
    /// x · sigmoid(x).
    package static let swish = Self(stages: [Stage(cod_swish, 1)])
    package static let hardSwish = Self(stages: [Stage(cod_hard_swish)])
    package static let gelu = Self(stages: [Stage(cod_gelu)])
    package static let geluByTanh = Self(stages: [Stage(cod_gelu_tanh)])
    /// x where positive, alpha · (eˣ − 1) elsewhere.
    package static func elu(alpha: Float) -> Self { Self(stages: [Stage(cod_elu, alpha)]) }
    /// x · tanh(log(1 + eˣ)).
    package static let mish = Self(stages: [Stage(cod_mish)])
    /// log(1 + eˣ).
    package static let softplus = Self(stages: [Stage(cod_softplus)])
}
