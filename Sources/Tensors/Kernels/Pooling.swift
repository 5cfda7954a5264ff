import Basics
package import COneDNN

/// Window, stride and padding of a two-dimensional pooling.
public struct PoolingGeometry: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case max
        /// The mean over the window without the padding.
        case average
        /// The mean over the window with the padding counted as zeros.
        case averageWithPadding
    }

    public var kind: Kind
    public var window: [Int]
    public var stride: [Int]
    /// Rows above, columns left, rows below, columns right.
    public var padding: [Int]

    public init(kind: Kind, window: [Int], stride: [Int]? = nil, padding: [Int] = [0, 0, 0, 0]) {
        self.kind = kind
        self.window = window
        self.stride = stride ?? window
        self.padding = padding
    }

    /// The output shape [N, C, P, Q] for an input [N, C, H, W].
    public func outputShape(input: Shape) throws -> Shape {
        let name = kind == .max ? "max_pool2d" : "avg_pool2d"
        guard input.rank == 4 else {
            throw TensorFailure.shapeMismatch(operation: name, detail: "needs an input [N, C, H, W], but got \(input)")
        }
        guard window.count == 2, stride.count == 2, padding.count == 4, (window + stride).allSatisfy({ $0 >= 1 }),
            (0..<4).allSatisfy({ padding[$0] >= 0 && padding[$0] < window[$0 % 2] }),
            (window + stride).allSatisfy({ $0 < 1 << 20 })
        else {
            throw TensorFailure.invalidArgument(
                operation: name, detail: "window \(window), stride \(stride), padding \(padding) are no geometry")
        }
        let extents = (0..<2).map { axis in input[2 + axis] + padding[axis] + padding[axis + 2] - window[axis] }
        guard extents.allSatisfy({ $0 >= 0 }) else {
            throw TensorFailure.shapeMismatch(
                operation: name, detail: "window \(window) is larger than the padded input \(input)")
        }
        return [input[0], input[1], extents[0] / stride[0] + 1, extents[1] / stride[1] + 1]
    }
}

/// Windowed pooling on oneDNN, forward and backward.
package enum Pooling {
    struct Key: Hashable, Sendable {
        let input: Shape
        let geometry: PoolingGeometry
        let format: UInt32
        let pass: UInt32
    }

    package static func primitive(
        _ pass: cod_pass, _ input: Shape, _ geometry: PoolingGeometry, _ format: ActivationFormat
    ) throws -> Primitive {
        let output = try geometry.outputShape(input: input)
        let key = Key(input: input, geometry: geometry, format: format.cod.rawValue, pass: pass.rawValue)
        return try ComputeContext.current.primitives.primitive(for: .pooling(key)) {
            var spec = cod_pooling(
                n: Int64(input[0]), c: Int64(input[1]), h: Int64(input[2]), w: Int64(input[3]), p: Int64(output[2]),
                q: Int64(output[3]), kh: Int64(geometry.window[0]), kw: Int64(geometry.window[1]),
                stride_h: Int64(geometry.stride[0]), stride_w: Int64(geometry.stride[1]),
                pad_top: Int64(geometry.padding[0]), pad_left: Int64(geometry.padding[1]), pad_bottom: Int64(geometry.padding[2]),
                pad_right: Int64(geometry.padding[3]), format: format.cod, is_max: geometry.kind == .max ? 1 : 0,
                counts_padding: geometry.kind == .averageWithPadding ? 1 : 0)
            return try Primitive("pool2d") { cod_pooling_create(&spec, pass) }
        }
    }

    /// The pooled activation; for maximum pooling with `training`, also where each maximum was.
    package static func forward(
        _ input: Tensor, _ geometry: PoolingGeometry, training: Bool
    ) throws -> (y: Tensor, positions: Storage?) {
        try input.requireType(.float32, "pool2d")
        let output = try geometry.outputShape(input: input.shape)
        guard output.elementCount > 0 else { return (try .zeros(output), nil) }
        let x = try input.inFormat(.blocked)
        let primitive = try primitive(
            training ? cod_forward_training : cod_forward_inference, x.shape, geometry, .blocked)
        let y = try Tensor(uninitializedActivation: output, format: .blocked)
        let bytes = primitive.byteCount(of: cod_workspace)
        let positions = bytes > 0 ? try Storage(byteCount: bytes) : nil
        try withExtendedLifetime((x.storage, positions)) {
            var arguments = [(cod_src, x.rawBase), (cod_dst, y.rawBase)]
            if let positions { arguments.append((cod_workspace, positions.pointer)) }
            try primitive.execute(arguments)
        }
        if geometry.kind == .max, Elementwise.holdsNotANumber(x) {
            return (try NotANumberPooling.spread(x, over: y, geometry), positions)
        }
        return (y, positions)
    }

    package static func backward(
        _ dy: Tensor, input: Shape, positions: Storage?, _ geometry: PoolingGeometry
    ) throws -> Tensor {
        let primitive = try primitive(cod_backward_data, input, geometry, .blocked)
        let dy = try dy.inFormat(.blocked)
        let dx = try Tensor(uninitializedActivation: input, format: .blocked)
        try withExtendedLifetime((dy.storage, positions)) {
            var arguments = [(cod_diff_dst, dy.rawBase), (cod_diff_src, dx.rawBase)]
            if let positions { arguments.append((cod_workspace, positions.pointer)) }
            try primitive.execute(arguments)
        }
        return dx
    }
}
