import Basics
import Decomposition
import Operations
import Tensors

/// TT-matrix: a linear layer [O, I] as a train over pairs of factors, I = i_1⋯i_d and O = o_d⋯o_1.
///
/// It runs as d small linear layers with reshapes and transposes between, the last factor of the inputs first. Where no factors
/// are given they are balanced: two of each side, or three from 2¹⁶ elements on.
/// - Reference: A. Novikov, D. Podoprikhin, A. Osokin, D. Vetrov, *Tensorizing Neural Networks*, NIPS 2015, arXiv:1509.06569.
public struct TensorTrainMatrixFamily: FactorizationFamily {
    /// i_1 … i_d and o_1 … o_d, where they are given.
    private let factors: (inputs: [Int], outputs: [Int])?

    public init() { factors = nil }

    /// - Parameters:
    ///   - inputs: i_1 … i_d, whose product is I.
    ///   - outputs: o_1 … o_d, whose product is O; o_d is the most significant part of an output's index.
    public init(inputs: [Int], outputs: [Int]) { factors = (inputs, outputs) }

    public static let baseName = "TT-matrix"
    public var name: String { factors.map { FactorText.name(Self.baseName, $0.inputs, $0.outputs) } ?? Self.baseName }

    public var endsInLayer: Bool { false }

    public func refusal(of layer: FactorizableLayer) -> String? {
        guard layer.geometry == nil else { return "is no linear layer, which TT-matrix is for" }
        let (inputs, outputs) = factors(of: layer.weight.shape)
        guard inputs.count == outputs.count, inputs.count > 1, inputs.reduce(1, *) == layer.weight.shape[1],
            outputs.reduce(1, *) == layer.weight.shape[0], zip(inputs, outputs).allSatisfy({ $0 * $1 > 1 })
        else { return "has \(layer.weight.shape[1]) inputs and \(layer.weight.shape[0]) outputs, which are not the factors of \(name)" }
        return nil
    }

    private func factors(of weight: Shape) -> (inputs: [Int], outputs: [Int]) {
        if let factors { return factors }
        let count = weight.elementCount >= 1 << 16 ? 3 : 2
        // The largest factor of one side stands beside the smallest of the other, so that the modes are alike.
        let inputs = (try? BalancedFactors.of(weight[1], count: count)) ?? []
        let outputs = (try? BalancedFactors.of(weight[0], count: count)) ?? []
        return (inputs, outputs.reversed())
    }

    public func factorize(_ layers: [FactorizableLayer]) throws -> [any Factorization] {
        try layers.map { layer in
            let (inputs, outputs) = factors(of: layer.weight.shape)
            return try located(layer.path) { try TensorTrainMatrixFactorization(layer, inputs, outputs) }
        }
    }
}

private struct TensorTrainMatrixFactorization: TensorTrainFactorization {
    let cut: TensorTrainCut
    private let inputs: [Int]
    private let outputs: [Int]
    private let inputShape: Shape
    private let positions: Int
    let parameterCost: RankPolynomial
    let macCost: RankPolynomial
    let activationCosts: [RankPolynomial]

    init(_ layer: FactorizableLayer, _ inputs: [Int], _ outputs: [Int]) throws {
        let d = inputs.count
        (self.inputs, self.outputs, inputShape, positions) = (inputs, outputs, layer.inputShape, layer.positionCount)
        // [o_d, …, o_1, i_1, …, i_d] becomes pairs (i_k, o_k).
        let tensor = try layer.weight.reshaped(Shape(outputs.reversed() + inputs))
            .permuted((0..<d).flatMap { [d + $0, d - 1 - $0] }).contiguous()
            .reshaped(Shape(zip(inputs, outputs).map { $0 * $1 }))
        cut = try TensorTrainCut(tensor)
        let bonds = d - 1
        var (parameters, macs) = (RankTerms(bonds: bonds), RankTerms(bonds: bonds))
        var made: [RankPolynomial] = [.constant(positions * inputs.reduce(1, *), bonds: bonds)]
        for k in (0..<d).reversed() {
            let (open, done) = (inputs[..<k].reduce(1, *), outputs[(k + 1)...].reduce(1, *))
            parameters.add(inputs[k] * outputs[k], between: k - 1, k)
            macs.add(positions * done * open * inputs[k] * outputs[k], between: k - 1, k)
            let count = positions * done * open * outputs[k]
            // The linear layer's result, then what a reshape, a transpose and a reshape make of it; at the end one reshape.
            for _ in 0..<(k > 0 ? 4 : 2) {
                made.append(k > 0 ? .multiple(of: k - 1, bonds: bonds, count) : .constant(count, bonds: bonds))
            }
        }
        (parameterCost, macCost, activationCosts) = (parameters.polynomial, macs.polynomial, made)
    }

    /// The state before core k is [N, positions · o_d⋯o_{k+1} · i_1⋯i_{k−1}, i_k · r_k].
    func steps(ranks: [Int]) throws -> [FactorStep] {
        let d = inputs.count
        let cores = try cut.cores(ranks: ranks)
        var open = inputs.reduce(1, *) / inputs[d - 1]
        var rows = positions
        var steps = [FactorStep(Reshape(target: [0, positions * open, inputs[d - 1]]))]
        for k in (0..<d).reversed() {
            let (i, o, before, behind) = (inputs[k], outputs[k], cores[k].shape[0], cores[k].shape[2])
            let weight = try cores[k].reshaped([before, i, o, behind]).permuted([2, 0, 1, 3]).contiguous()
                .reshaped([o * before, i * behind])
            steps.append(FactorStep(Linear(hasBias: false), weight: weight))
            guard k > 0 else { break }
            // The outputs made go before the inputs to come, whose last factor joins the rank.
            steps.append(FactorStep(Reshape(target: [0, rows, open, o, before])))
            steps.append(FactorStep(Transpose(order: [0, 1, 3, 2, 4])))
            rows *= o
            open /= inputs[k - 1]
            steps.append(FactorStep(Reshape(target: [0, rows * open, inputs[k - 1] * before])))
        }
        let result = Array(inputShape.dims.dropFirst().dropLast()) + [outputs.reduce(1, *)]
        return steps + [FactorStep(Reshape(target: [0] + result))]
    }
}

/// A cost polynomial of a train while its terms are added up.
struct RankTerms {
    private var constant = 0
    private var linear: [Int]
    private var bilinear: [Int]

    init(bonds: Int) {
        linear = [Int](repeating: 0, count: bonds)
        bilinear = [Int](repeating: 0, count: bonds - 1)
    }

    /// `count` times the ranks of two neighbouring bonds; a bond outside the train counts as rank 1.
    mutating func add(_ count: Int, between left: Int, _ right: Int) {
        switch (linear.indices.contains(left), linear.indices.contains(right)) {
        case (true, true): bilinear[left] += count
        case (true, false): linear[left] += count
        case (false, true): linear[right] += count
        case (false, false): constant += count
        }
    }

    var polynomial: RankPolynomial { RankPolynomial(constant: constant, linear: linear, bilinear: bilinear) }
}
