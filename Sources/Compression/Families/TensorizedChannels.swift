import Basics
import Decomposition
import Operations
import Tensors

/// Tensorised channels: a convolution as a train over factors of its channels, c_1 | … | c_m | Kh·Kw | o_1 | … | o_m, where
/// C = c_1⋯c_m and O = o_m⋯o_1.
///
/// It runs as ordinary convolutions with reshapes between, which move nothing: 1×1 ones contract a factor of the input channels
/// each, with the factors to come as more rows of the image; then the Kh×Kw one; then 1×1 ones that make a factor of the
/// output channels each, with the factors made as more rows. Where no factors are given they are two balanced ones of each side.
/// - Reference: T. Garipov, D. Podoprikhin, A. Novikov, D. Vetrov, *Ultimate Tensorization*, 2016, arXiv:1611.03214, section 4.
public struct TensorizedChannels: FactorizationFamily {
    /// c_1 … c_m and o_1 … o_m, where they are given.
    private let factors: (inputs: [Int], outputs: [Int])?

    public init() { factors = nil }

    /// - Parameters:
    ///   - inputs: c_1 … c_m, whose product is C.
    ///   - outputs: o_1 … o_m, whose product is O; there may be more or fewer than of the inputs.
    public init(inputs: [Int], outputs: [Int]) { factors = (inputs, outputs) }

    public static let baseName = "TT-channels"
    public var name: String { factors.map { FactorText.name(Self.baseName, $0.inputs, $0.outputs) } ?? Self.baseName }

    public var endsInLayer: Bool { false }

    public func refusal(of layer: FactorizableLayer) -> String? {
        guard let geometry = layer.geometry else { return "is no convolution, which TT-channels is for" }
        guard geometry.groups == 1 else { return "is a convolution in groups, whose channels TT-channels does not factorise" }
        let (inputs, outputs) = factors(of: layer.weight.shape)
        guard inputs.reduce(1, *) == layer.weight.shape[1], outputs.reduce(1, *) == layer.weight.shape[0],
            (inputs + outputs).allSatisfy({ $0 > 1 })
        else {
            return "has \(layer.weight.shape[1]) input and \(layer.weight.shape[0]) output channels, which "
                + (factors == nil ? "are not two factors each" : "are not the factors of \(name)")
        }
        return nil
    }

    private func factors(of weight: Shape) -> (inputs: [Int], outputs: [Int]) {
        if let factors { return factors }
        func balanced(_ count: Int) -> [Int] { (try? BalancedFactors.of(count, count: 2)) ?? [] }
        return (balanced(weight[1]), balanced(weight[0]).reversed())
    }

    public func factorize(_ layers: [FactorizableLayer]) throws -> [any Factorization] {
        try layers.map { layer in
            let (inputs, outputs) = factors(of: layer.weight.shape)
            return try located(layer.path) {
                try TensorizedChannelsFactorization(layer, layer.geometry ?? ConvolutionGeometry(), inputs, outputs)
            }
        }
    }
}

private struct TensorizedChannelsFactorization: TensorTrainFactorization {
    let cut: TensorTrainCut
    private let inputs: [Int]
    private let outputs: [Int]
    private let kernel: [Int]
    private let geometry: ConvolutionGeometry
    private let inputShape: Shape
    private let outputShape: Shape
    let parameterCost: RankPolynomial
    let macCost: RankPolynomial
    let activationCosts: [RankPolynomial]

    init(_ layer: FactorizableLayer, _ geometry: ConvolutionGeometry, _ inputs: [Int], _ outputs: [Int]) throws {
        let shape = layer.weight.shape
        (self.inputs, self.outputs, self.geometry) = (inputs, outputs, geometry)
        (kernel, inputShape, outputShape) = ([shape[2], shape[3]], layer.inputShape, layer.outputShape)
        // [o_m, …, o_1, c_1, …, c_m, Kh·Kw] becomes [c_1, …, c_m, Kh·Kw, o_1, …, o_m].
        let (m, n) = (outputs.count, inputs.count)
        let tensor = try layer.weight.reshaped(Shape(outputs.reversed() + inputs + [shape[2] * shape[3]]))
            .permuted(Array(m...m + n) + (0..<m).reversed()).contiguous()
        cut = try TensorTrainCut(tensor)
        let bonds = m + n
        let (own, made) = (layer.inputShape[2] * layer.inputShape[3], layer.outputShape[2] * layer.outputShape[3])
        var (parameters, macs) = (RankTerms(bonds: bonds), RankTerms(bonds: bonds))
        var elements: [RankPolynomial] = [.constant(layer.inputShape.elementCount, bonds: bonds)]
        func add(_ core: Int, _ mode: Int, positions: Int) {
            parameters.add(mode, between: core - 1, core)
            macs.add(mode * positions, between: core - 1, core)
        }
        for (k, c) in inputs.enumerated() {
            let open = inputs[(k + 1)...].reduce(1, *)
            add(k, c, positions: open * own)
            // The convolution, and where factors are still to come the reshape for the next.
            for _ in 0..<(k + 1 < n ? 2 : 1) { elements.append(.multiple(of: k, bonds: bonds, open * own)) }
        }
        add(n, shape[2] * shape[3], positions: made)
        elements.append(.multiple(of: n, bonds: bonds, made))
        for (k, o) in outputs.enumerated() {
            let done = outputs[..<k].reduce(1, *)
            add(n + 1 + k, o, positions: done * made)
            let count = done * o * made
            for _ in 0..<2 {
                elements.append(
                    n + 1 + k < bonds ? .multiple(of: n + 1 + k, bonds: bonds, count) : .constant(count, bonds: bonds))
            }
        }
        (parameterCost, macCost, activationCosts) = (parameters.polynomial, macs.polynomial, elements)
    }

    func steps(ranks: [Int]) throws -> [FactorStep] {
        let cores = try cut.cores(ranks: ranks)
        let (rows, columns) = (inputShape[2], inputShape[3])
        var open = inputs.reduce(1, *)
        var steps: [FactorStep] = []
        for (core, c) in zip(cores, inputs) {
            open /= c
            let (before, behind) = (core.shape[0], core.shape[2])
            steps.append(FactorStep(Reshape(target: [0, before * c, open * rows, columns])))
            steps.append(try Self.pointwise(core.reshaped([before * c, behind]).transposed()))
        }
        let middle = cores[inputs.count]
        let weight = try middle.reshaped([middle.shape[0], kernel[0], kernel[1], middle.shape[2]]).permuted([3, 0, 1, 2])
        steps.append(FactorStep(Conv2D(geometry, hasBias: false), weight: try weight.contiguous()))
        var done = 1
        for (core, o) in zip(cores[(inputs.count + 1)...], outputs) {
            let (before, behind) = (core.shape[0], core.shape[2])
            steps.append(try Self.pointwise(core.permuted([2, 1, 0]).contiguous().reshaped([behind * o, before])))
            done *= o
            let isLast = steps.count == 2 * inputs.count + 2 * outputs.count
            let shape = isLast ? [done, outputShape[2]] : [behind, done * outputShape[2]]
            steps.append(FactorStep(Reshape(target: [0] + shape + [outputShape[3]])))
        }
        return steps
    }

    private static func pointwise(_ weight: Tensor) throws -> FactorStep {
        FactorStep(
            Conv2D(ConvolutionGeometry(), hasBias: false),
            weight: try weight.contiguous().reshaped([weight.shape[0], weight.shape[1], 1, 1]))
    }
}
