public import Tensors

/// Maximum or average pooling over windows.
///
/// - Shape: [N, C, H, W] to [N, C, P, Q].
public struct Pool2D: GraphOperation {
    public static let name = "pool2d"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)
    public var geometry: PoolingGeometry

    public init(_ geometry: PoolingGeometry) { self.geometry = geometry }

    public init(attributes: Attributes) throws {
        let kind = try attributes.string("kind")
        guard let parsed = PoolingGeometry.Kind(rawValue: kind) else {
            throw OperationFailure.attribute(operation: Self.name, detail: "unknown kind '\(kind)'")
        }
        geometry = PoolingGeometry(
            kind: parsed, window: try attributes.ints("window", count: 2), stride: try attributes.ints("stride", count: 2),
            padding: try attributes.ints("padding", count: 4))
    }

    public var attributes: Attributes {
        Attributes(
            Self.name,
            [
                "kind": .string(geometry.kind.rawValue), "window": .ints(geometry.window),
                "stride": .ints(geometry.stride), "padding": .ints(geometry.padding),
            ])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return [try geometry.outputShape(input: inputs[0])]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (y, positions) = try Pooling.forward(inputs[0], geometry, training: mode.recordsGradient)
        let input = inputs[0].shape
        return Evaluation(y, mode) { dy, _ in
            [try Pooling.backward(dy, input: input, positions: positions, geometry)]
        }
    }
}
