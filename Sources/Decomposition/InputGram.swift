public import Tensors

/// Weights an approximation error E by its effect on the layer's output: ‖E‖²_G = Σₒ eₒᵀ G eₒ with G = E[x xᵀ], the Gram matrix
/// of the layer's inputs.
///
/// - Reference: Wang et al., *SVD-LLM: Truncation-aware Singular Value Decomposition*, 2024, arXiv:2403.07378; with an
///   eigendecomposition in place of Cholesky's, so that moments without full rank do not fail.
public struct InputGram: Sendable {
    /// Over whole patches [C · Kh · Kw, C · Kh · Kw] in the order of the weight, or over channels or inputs [C, C].
    let moments: Tensor
    let root: SymmetricRoot

    /// - Parameter moments: symmetric; over the patches of a convolution in one group, over its channels, whose positions
    ///   under the kernel then count as uncorrelated, or over the inputs of a linear layer. Only their proportions matter.
    /// - Returns: `nil` where all moments are 0.
    /// - Throws: `notFinite`.
    /// - Complexity: O(n³).
    public init?(moments: Tensor) throws {
        guard let root = try SymmetricRoot(moments) else { return nil }
        (self.moments, self.root) = (moments, root)
    }

    /// The Gram matrix summed over the positions that `axes` of a weight [O, C, Kh, Kw] leaves out.
    func marginal(weight: Shape, axes: [Int]) throws -> Tensor {
        let (c, rows, columns) = (weight[1], weight[2], weight[3])
        let parts = try moments.reshaped([c, rows, columns, c, rows, columns])
        let rowParts = axes.contains(2) ? [0..<rows] : (0..<rows).map { $0..<$0 + 1 }
        let columnParts = axes.contains(3) ? [0..<columns] : (0..<columns).map { $0..<$0 + 1 }
        var sum: Tensor?
        for row in rowParts {
            let line = try [1, 4].reduce(parts) { try $0.sliced(dim: $1, from: row.lowerBound, to: row.upperBound) }
            for column in columnParts {
                let part = try [2, 5].reduce(line) { try $0.sliced(dim: $1, from: column.lowerBound, to: column.upperBound) }
                sum = try sum?.adding(part) ?? part
            }
        }
        let width = c * (axes.contains(2) ? rows : 1) * (axes.contains(3) ? columns : 1)
        return try (sum ?? parts).contiguous().reshaped([width, width])
    }
}

/// G^{1/2} and G^{−1/2} of a symmetric matrix G, positive semidefinite but for rounding.
struct SymmetricRoot: Sendable {
    let root: Tensor
    let inverse: Tensor

    /// By eigenvalues in float64, without those that are rounding beside the largest; `nil` where all are 0.
    init?(_ gram: Tensor) throws {
        let scale = try gram.norm()
        guard scale.isFinite else { throw DecompositionFailure.notFinite(operation: "whitening", shape: gram.shape) }
        guard scale > 0 else { return nil }
        let (found, vectors) = try PreciseMatrix(gram).symmetricEigen()
        // Only proportions matter.
        let values = found.map { $0 / Double(scale) }
        // 1e-10 is the rule in exact arithmetic; of moments that came in single precision all is noise from n · 2⁻²⁴ down.
        let least = (values.first ?? 0) * max(1e-10, Double(values.count) * 0x1p-24)
        func scaled(_ power: (Double) -> Double) throws -> Tensor {
            let factors = values.map { $0 > least ? power($0) : 0 }
            return try vectors.scaledColumns(by: factors).product(vectors, transposingOther: true).tensor()
        }
        root = try scaled { $0.squareRoot() }
        inverse = try scaled { 1 / $0.squareRoot() }
    }
}
