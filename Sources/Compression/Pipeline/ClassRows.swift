import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// The rows of a classifier's result [N, classes]: logits, or probabilities where the model ends in a softmax.
struct ClassRows {
    private let values: [Float]
    private let width: Int
    /// What each row names, counted from 0; `nil` for one with a not-a-number.
    let classes: [Int?]

    /// Sums of float32 probabilities are off by less than this.
    private static let tolerance = 1e-3
    /// A probability of nothing would make a divergence infinite.
    private static let leastProbability = 1e-12

    init(_ result: Tensor) throws {
        values = try result.array(of: Float.self)
        width = result.shape[1]
        classes = try result.predictedClasses()
    }

    private var rows: some Sequence<ArraySlice<Float>> {
        stride(from: 0, to: values.count, by: width).lazy.map { values[$0..<$0 + width] }
    }

    /// Whether all rows are non-negative and have the sum 1.
    var areProbabilities: Bool {
        rows.allSatisfy { row in
            row.allSatisfy { $0 >= 0 } && abs(row.reduce(0.0) { $0 + Double($1) } - 1) < Self.tolerance
        }
    }

    /// The sum over rows of KL(dense ‖ these).
    func divergence(from dense: ClassRows, areProbabilities: Bool) -> Double {
        zip(rows, dense.rows).reduce(0) { sum, pair in
            let (own, wanted) = (Self.logarithms(pair.0, areProbabilities), Self.logarithms(pair.1, areProbabilities))
            return sum + zip(own, wanted).reduce(0) { $0 + exp($1.1) * ($1.1 - $1.0) }
        }
    }

    /// The sum over rows of −log p(label).
    func crossEntropy(of labels: [Int], areProbabilities: Bool) -> Double {
        zip(rows, labels).reduce(0) { sum, pair in
            let own = Self.logarithms(pair.0, areProbabilities)
            return sum - (own.indices.contains(pair.1) ? own[pair.1] : -.infinity)
        }
    }

    /// Logarithms of the probabilities of one row.
    private static func logarithms(_ row: ArraySlice<Float>, _ areProbabilities: Bool) -> [Double] {
        if areProbabilities { return row.map { log(max(Double($0), leastProbability)) } }
        let largest = Double(row.max() ?? 0)
        let sum = log(row.reduce(0.0) { $0 + exp(Double($1) - largest) })
        return row.map { Double($0) - largest - sum }
    }
}
