import Graphs
import Operations
import Tensors

/// What each position of a layer's result is made of, as columns.
struct Patches {
    /// Elements of a patch: I, or C · Kh · Kw in the order of the weight.
    let width: Int
    private let isLinear: Bool
    /// A convolution that copies each element of the patch into a channel of its own; `nil` where a patch is one position.
    private let copying: (operation: Conv2D, weight: Tensor)?

    /// - Parameter weight: [O, C, Kh, Kw] of a convolution in one group, or [O, I].
    init(_ node: Node, weight: Shape) throws {
        width = weight.dims.dropFirst().reduce(1, *)
        let conv = node.operation as? Conv2D
        isLinear = conv == nil
        guard let conv, conv.geometry != ConvolutionGeometry() || weight[2] * weight[3] > 1 else {
            copying = nil
            return
        }
        var geometry = conv.geometry
        geometry.groups = weight[1]
        let places = weight[2] * weight[3]
        var ones = [Float](repeating: 0, count: width * places)
        for element in 0..<width { ones[element * places + element % places] = 1 }
        copying = (Conv2D(geometry, hasBias: false), try Tensor(ones, shape: Shape([width, 1, weight[2], weight[3]])))
    }

    /// [width, images · positions].
    func columns(_ input: Tensor) throws -> Tensor {
        guard let copying else { return try channelColumns(input) }
        return try channelColumns(copying.operation.evaluate([input, copying.weight], .inference).outputs[0])
    }

    /// [channels, images · positions].
    func channelColumns(_ value: Tensor) throws -> Tensor {
        if isLinear { return try value.reshaped([-1, channels(of: value)]).transposed().contiguous() }
        let order = [1, 0] + Array(2..<value.rank)
        return try value.permuted(order).contiguous().reshaped([value.shape[1], -1])
    }

    func channels(of value: Tensor) -> Int { value.shape[isLinear ? value.rank - 1 : 1] }
}
