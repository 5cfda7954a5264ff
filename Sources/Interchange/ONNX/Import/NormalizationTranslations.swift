import Operations
import Tensors

/// Batch and layer normalisation, softmax.
enum NormalizationTranslations {
    static func batchNorm(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        guard try !node.flag("training_mode", default: false) else { throw node.unsupported("statistics of the batch") }
        let weights = try (1...4).map { position -> ONNXConstant in
            guard let constant = try node.constant(position, "input \(position + 1)") else {
                throw node.malformed("input \(position + 1) is missing")
            }
            return constant
        }
        let x = try node.input(0)
        guard let extents = try assembly.extents(of: x), (2...4).contains(extents.count) else {
            throw node.unsupported("inputs of other than 2 to 4 dimensions")
        }
        let name = node.layerName(weight: weights[0])
        // Momentum is the share that stays in ONNX, and the share that is new here.
        let operation = BatchNorm(
            epsilon: try node.float("epsilon", default: 1e-5), momentum: 1 - (try node.float("momentum", default: 0.9)))
        let y = try assembly.add(name, operation, [x] + weights.map { .constant($0) }, weights: true)
        return [y] + node.furtherOutputs
    }

    static func layerNorm(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let extents = try assembly.extents(of: x), !extents.isEmpty else { throw node.malformed("the input is a scalar") }
        let axis = try node.dimension(try node.int("axis", default: -1), rank: extents.count)
        let normalized = extents[axis...].compactMap(\.fixed)
        guard normalized.count == extents.count - axis else { throw node.unsupported("normalising over the samples") }
        func weight(_ position: Int, _ what: String) throws -> ONNXValue? {
            guard let given = try node.constant(position, what) else { return nil }
            if given.tensor.shape.dims == normalized { return .constant(given) }
            let full = try given.tensor.broadcast(to: Shape(normalized)).contiguous()
            return .constant(given.changed(full, "repeated"))
        }
        guard let scale = try weight(1, "the scale") else { throw node.malformed("the scale is missing") }
        let bias = try weight(2, "the bias")
        let operation = LayerNorm(
            dimensionCount: normalized.count, epsilon: try node.float("epsilon", default: 1e-5), hasBias: bias != nil)
        let name = node.layerName(weight: try node.constant(1, "the scale"))
        let y = try assembly.add(name, operation, [x, scale] + (bias.map { [$0] } ?? []), weights: true)
        return [y] + node.furtherOutputs
    }

    /// Softmax or its logarithm over one dimension; before opset 13 over all dimensions from one on, taken as one.
    static func softmax(_ make: @escaping @Sendable () -> any GraphOperation) -> Translation {
        { node, assembly in
            let x = try node.input(0)
            guard let extents = try assembly.extents(of: x), !extents.isEmpty else { throw node.malformed("the input is a scalar") }
            let last = extents.count - 1
            let axis = try node.dimension(try node.int("axis", default: node.opset < 13 ? 1 : -1), rank: extents.count)
            if axis == last { return [try assembly.add(node.plainName, make(), [x])] }
            guard node.opset >= 13 else {
                guard let rows = Extent.count(extents[..<axis]), let width = Extent.count(extents[axis...]) else {
                    throw node.unsupported("this shape")
                }
                let flat = try assembly.reshape(x, to: [rows, width], node.plainName + ".rows")
                let y = try assembly.add(node.plainName, make(), [flat])
                return [try assembly.reshape(y, to: extents, node.plainName + ".shape")]
            }
            var order = Array(extents.indices)
            order.swapAt(axis, last)
            let turned = try assembly.add(node.plainName + ".turned", Transpose(order: order), [x])
            let y = try assembly.add(node.plainName, make(), [turned])
            return [try assembly.add(node.plainName + ".back", Transpose(order: order), [y])]
        }
    }
}
