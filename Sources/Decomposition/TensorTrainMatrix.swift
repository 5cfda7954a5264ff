public import Tensors

/// A matrix [O, I] as a train over pairs of factors, O = o_1⋯o_d and I = i_1⋯i_d: mode k is the pair (o_k, i_k).
///
/// - Reference: A. Novikov, D. Podoprikhin, A. Osokin, D. Vetrov, *Tensorizing Neural Networks*, NIPS 2015,
///   arXiv:1509.06569, section 3.
public struct TensorTrainMatrix: Sendable {
    /// Core k is [r_{k−1}, o_k·i_k, r_k].
    public let train: TensorTrain
    /// o_1 … o_d.
    public let outputFactors: [Int]
    /// i_1 … i_d.
    public let inputFactors: [Int]

    /// - Throws: `shapeMismatch` unless mode k of the train is o_k·i_k.
    public init(train: TensorTrain, outputFactors: [Int], inputFactors: [Int]) throws {
        guard outputFactors.count == inputFactors.count, (outputFactors + inputFactors).allSatisfy({ $0 >= 1 }),
            train.modes == zip(outputFactors, inputFactors).map({ $0.multipliedReportingOverflow(by: $1).partialValue })
        else {
            throw DecompositionFailure.shapeMismatch(
                operation: "TT-matrix",
                detail: "the modes \(train.modes) are not the products of \(outputFactors) and \(inputFactors)")
        }
        self.train = train
        self.outputFactors = outputFactors
        self.inputFactors = inputFactors
    }

    public var outputCount: Int { outputFactors.reduce(1, *) }
    public var inputCount: Int { inputFactors.reduce(1, *) }
    public var parameterCount: Int { train.parameterCount }

    /// A weight [O, I] as the tensor [o_1·i_1, …, o_d·i_d], whose train is a TT-matrix.
    /// - Throws: `factorMismatch`, `shapeMismatch`.
    public static func tensorized(_ weight: Tensor, outputFactors: [Int], inputFactors: [Int]) throws -> Tensor {
        guard weight.rank == 2, outputFactors.count == inputFactors.count else {
            throw DecompositionFailure.shapeMismatch(
                operation: "TT-matrix",
                detail: "needs a weight [O, I] and as many factors of O as of I, but got \(weight.shape), \(outputFactors) "
                    + "and \(inputFactors)")
        }
        try BalancedFactors.require(outputFactors, multiplyTo: weight.shape[0], side: "rows", "TT-matrix")
        try BalancedFactors.require(inputFactors, multiplyTo: weight.shape[1], side: "columns", "TT-matrix")
        let d = outputFactors.count
        return try weight.reshaped(Shape(outputFactors + inputFactors)).permuted((0..<d).flatMap { [$0, d + $0] })
            .contiguous().reshaped(Shape(zip(outputFactors, inputFactors).map { $0 * $1 }))
    }

    /// The matrix [O, I].
    public func reconstructed() throws -> Tensor {
        let d = outputFactors.count
        return try train.reconstructed().reshaped(Shape(zip(outputFactors, inputFactors).flatMap { [$0, $1] }))
            .permuted((0..<d).map { 2 * $0 } + (0..<d).map { 2 * $0 + 1 }).contiguous()
            .reshaped([outputCount, inputCount])
    }

    // MARK: Products

    /// How a product with a batch is computed.
    public enum Order: String, Sendable {
        /// One core after the other.
        case factorized
        /// The matrix first, then one product.
        case reconstructed
    }

    /// Multiply-accumulates of x·Wᵀ for a batch of N rows.
    /// - Complexity: O(d).
    public func macCount(batch: Int, _ order: Order) -> Double {
        let ends = [1] + train.ranks.map(Double.init) + [1]
        let (outputs, inputs) = (outputFactors.map(Double.init), inputFactors.map(Double.init))
        switch order {
        case .factorized:
            var (done, open) = (Double(batch), inputs.reduce(1, *))
            return inputs.indices.reduce(0.0) { total, k in
                open /= inputs[k]
                defer { done *= outputs[k] }
                return total + done * open * ends[k] * inputs[k] * outputs[k] * ends[k + 1]
            }
        case .reconstructed:
            var elements = 1.0
            let product = inputs.indices.reduce(0.0) { total, k in
                defer { elements *= outputs[k] * inputs[k] }
                return k == 0 ? 0 : total + elements * ends[k] * outputs[k] * inputs[k] * ends[k + 1]
            }
            return product + Double(batch) * Double(inputCount) * Double(outputCount)
        }
    }

    /// The cheaper order for a batch of N rows, by multiply-accumulates.
    public func order(batch: Int) -> Order {
        macCount(batch: batch, .factorized) <= macCount(batch: batch, .reconstructed) ? .factorized : .reconstructed
    }

    /// x·Wᵀ [N, O] for x [N, I], in the cheaper order unless one is given.
    /// - Throws: `shapeMismatch`.
    public func applied(to x: Tensor, order: Order? = nil) throws -> Tensor {
        guard x.rank == 2, x.shape[1] == inputCount else {
            throw DecompositionFailure.shapeMismatch(
                operation: "TT-matrix", detail: "needs an input [N, \(inputCount)], but got \(x.shape)")
        }
        guard x.shape[0] > 0, (order ?? self.order(batch: x.shape[0])) == .factorized else {
            return try x.matrixProduct(reconstructed().transposed())
        }
        // [N·o_1⋯o_{k−1}, r_{k−1}·i_k, i_{k+1}⋯i_d] goes to [N·o_1⋯o_k, r_k, i_{k+1}⋯i_d], core by core.
        var state = x
        var (rows, open) = (x.shape[0], inputCount)
        for (k, core) in train.cores.enumerated() {
            let (r, o, i, next) = (core.shape[0], outputFactors[k], inputFactors[k], core.shape[2])
            open /= i
            let factor = try core.reshaped([r, o, i, next]).permuted([0, 2, 1, 3]).contiguous().reshaped([r * i, o * next])
            let inputs = try state.reshaped([rows, r * i, open]).permuted([0, 2, 1]).contiguous().reshaped([rows * open, r * i])
            state = try inputs.matrixProduct(factor).reshaped([rows, open, o, next]).permuted([0, 2, 3, 1]).contiguous()
            rows *= o
        }
        return try state.reshaped([x.shape[0], outputCount])
    }
}

extension LinearFactors {
    /// Multiply-accumulates of second·(first·x) for a batch of N rows, and of building the matrix first.
    public func macCount(batch: Int, _ order: TensorTrainMatrix.Order) -> Double {
        let (r, i, o) = (Double(first.shape[0]), Double(first.shape[1]), Double(second.shape[0]))
        return order == .factorized ? Double(batch) * r * (i + o) : r * i * o + Double(batch) * i * o
    }

    /// The cheaper order for a batch of N rows, by multiply-accumulates.
    public func order(batch: Int) -> TensorTrainMatrix.Order {
        macCount(batch: batch, .factorized) <= macCount(batch: batch, .reconstructed) ? .factorized : .reconstructed
    }

    /// x·Wᵀ [N, O] for x [N, I], in the cheaper order unless one is given.
    public func applied(to x: Tensor, order: TensorTrainMatrix.Order? = nil) throws -> Tensor {
        guard x.rank == 2, x.shape[1] == first.shape[1] else {
            throw DecompositionFailure.shapeMismatch(
                operation: "low-rank pair", detail: "needs an input [N, \(first.shape[1])], but got \(x.shape)")
        }
        switch order ?? self.order(batch: x.shape[0]) {
        case .factorized: return try x.matrixProduct(first.transposed()).matrixProduct(second.transposed())
        case .reconstructed: return try x.matrixProduct(composed().transposed())
        }
    }
}
