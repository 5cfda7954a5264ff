import Graphs
import Operations
import Tensors

/// What each position of a layer's result is made of, as columns.
struct Patches {
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
    func forEachPart(of input: Tensor, _ body: (Tensor, Range<Int>) throws -> Void) throws {
        let positions = input.elementCount / max(1, input.shape[0] * channels(of: input))
        let bytes = positions * width * DType.float32.byteCount
        let images = max(1, Self.partBytes / max(1, bytes))
        for start in stride(from: 0, to: input.shape[0], by: images) {
            let part = start..<min(start + images, input.shape[0])
            try body(columns(input.sliced(dim: 0, from: part.lowerBound, to: part.upperBound)), part)
        }
    }

    /// [width, images · positions].
    private func columns(_ input: Tensor) throws -> Tensor {
        guard case .convolution(let rows, let columns, let geometry) = source else { return try channelColumns(input) }
        return try input.patchColumns(kernel: (rows, columns), geometry)
    }

    /// [channels, images · positions].
    func channelColumns(_ value: Tensor) throws -> Tensor {
        switch source {
        case .linear: try value.reshaped([-1, channels(of: value)]).transposed().contiguous()
        case .convolution: try value.patchColumns(kernel: (1, 1), ConvolutionGeometry())
        }
    }

    private func channels(of value: Tensor) -> Int {
        if case .linear = source { return value.shape[value.rank - 1] }
        return value.shape[1]
    }
}
