import Tensors

/// The least-squares fit of everything after the first factor, in the metric G, for all leading ranks at once.
///
/// With the first factor L [n₁, R] given, W ≈ L·V has P rows of V for each column of L, one for each position that the first
/// factor leaves out: a regression on the columns of B = L ⊗ 1_P in the metric G. An orthonormal basis of them, built column
/// after column, solves it for every leading part of L: the energy of the first r·P coordinates is what rank r keeps.
struct DataAwareProjection: Sendable {
    /// Added to the squared length of a column, which is 1/P on average: what keeps columns that no input can tell apart
    /// from dividing by rounding errors.
    private static let ridge = 1e-10

    /// Y [R·P, O]: W in the orthonormal basis.
    let coordinates: Tensor
    /// [R·P, R·P], upper triangular: from coordinates to rows of V.
    private let back: Tensor

    /// - Parameters:
    ///   - rooted: S = G^{1/2} [n₁·P, n₁·P], and S·W [n₁·P, O].
    ///   - basis: L, whose columns have lengths of 1 in the metric, over all positions.
    init(_ rooted: (root: Tensor, weight: Tensor), basis: Tensor) throws {
        let (width, rows, rank) = (rooted.root.shape[0], basis.shape[0], basis.shape[1])
        let positions = width / rows
        let columns = try rooted.root.reshaped([width, rows, positions]).permuted([0, 2, 1]).contiguous()
            .reshaped([width * positions, rows]).matrixProduct(basis)
            .reshaped([width, positions, rank]).permuted([0, 2, 1]).contiguous().reshaped([width, rank * positions])
        let ridge = try Tensor.identity(rank * positions).multiplying(Self.ridge.squareRoot())
        let (q, r) = try Tensor.concatenated([columns, ridge], dim: 0).orthogonalFactors()
        coordinates = try q.sliced(dim: 0, from: 0, to: width).transposed().matrixProduct(rooted.weight)
        guard let inverse = try r.upperTriangularInverse() else {
            throw TensorFailure.noConvergence(operation: "whitening", detail: "the moments of \(width) inputs are singular")
        }
        back = inverse
    }

    /// Rows of V from leading coordinates [r·P, m].
    func solved(_ leading: Tensor) throws -> Tensor {
        let count = leading.shape[0]
        return try back.sliced(dim: 0, from: 0, to: count).sliced(dim: 1, from: 0, to: count).matrixProduct(leading)
    }
}
