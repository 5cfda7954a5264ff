import Graphs
import Operations
import Tensors

/// Extracts the patches of a layer's input as columns (im2col).
struct Im2col {
    private enum Source {
        case linear
        case convolution(rows: Int, columns: Int, ConvolutionGeometry)
    }

    /// Batches are taken apart so that the patches of a part stay below this.
    private static let partBytes = 64 << 20

    /// Elements of a patch: I, or C · Kh · Kw in the order of the weight.
    let width: Int
    private let source: Source

    /// - Parameter weight: [O, C, Kh, Kw] of a convolution in one group, or [O, I].
    init(_ node: Node, weight: Shape) {
        width = weight.dims.dropFirst().reduce(1, *)
        guard let conv = node.operation as? Conv2D else {
            source = .linear
            return
        }
        source = .convolution(rows: weight[2], columns: weight[3], conv.geometry)
    }

    /// Single positions of an activation.
    init(channels: Int) { (width, source) = (channels, .convolution(rows: 1, columns: 1, ConvolutionGeometry())) }

    /// Calls `body` with patches [width, images · positions] of some images at a time, and which images these are.
    /// - Parameter origin: what is taken off each element of a patch; nothing where empty.
    func forEachPart(of input: Tensor, less origin: [Float] = [], _ body: (Tensor, Range<Int>) throws -> Void) throws {
        let positions = input.elementCount / max(1, input.shape[0] * channels(of: input))
        let bytes = positions * width * DType.float32.byteCount
        let images = max(1, Self.partBytes / max(1, bytes))
        for start in stride(from: 0, to: input.shape[0], by: images) {
            let part = start..<min(start + images, input.shape[0])
            try body(columns(input.sliced(dim: 0, from: part.lowerBound, to: part.upperBound), less: origin), part)
        }
    }

    /// [width, images · positions].
    private func columns(_ input: Tensor, less origin: [Float] = []) throws -> Tensor {
        guard case .convolution(let rows, let columns, let geometry) = source else {
            return try channelColumns(input, less: origin)
        }
        return try input.im2col(kernel: (rows, columns), geometry, less: origin)
    }

    /// [channels, images · positions].
    func channelColumns(_ value: Tensor, less origin: [Float] = []) throws -> Tensor {
        switch source {
        case .linear:
            let columns = try value.reshaped([-1, channels(of: value)]).transposed()
            return try origin.isEmpty
                ? columns.contiguous() : columns.subtracting(Tensor(origin, shape: [origin.count, 1])).contiguous()
        case .convolution: return try value.im2col(kernel: (1, 1), ConvolutionGeometry(), less: origin)
        }
    }

    /// Means over few images are near enough to those of all, for what they are taken off for.
    private static let firstImages = 8

    /// The mean patch of the first images.
    func firstMean(of input: Tensor) throws -> [Float] {
        try columns(input.sliced(dim: 0, from: 0, to: min(Self.firstImages, input.shape[0]))).mean(along: 1).array(of: Float.self)
    }

    /// The mean of each channel of `value` over the first images.
    func firstChannelMean(of value: Tensor) throws -> [Float] {
        try channelColumns(value.sliced(dim: 0, from: 0, to: min(Self.firstImages, value.shape[0]))).mean(along: 1)
            .array(of: Float.self)
    }

    private func channels(of value: Tensor) -> Int {
        if case .linear = source { return value.shape[value.rank - 1] }
        return value.shape[1]
    }
}
