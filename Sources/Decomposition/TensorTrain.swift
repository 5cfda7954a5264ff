public import Tensors

/// A tensor as a train of cores: W(i_1, …, i_d) = G_1(i_1) · G_2(i_2) ⋯ G_d(i_d), a product of matrices.
///
/// - Shape: core k is [r_{k−1}, n_k, r_k], with r_0 = r_d = 1.
/// - Reference: I. V. Oseledets, *Tensor-Train Decomposition*, SIAM J. Sci. Comput. 33(5), 2011,
///   doi:10.1137/090752286, eq. (1.2).
public struct TensorTrain: Sendable {
    public let cores: [Tensor]

    /// - Throws: `shapeMismatch` unless each core is [r_{k−1}, n_k, r_k] and neighbours agree on their rank.
    public init(cores: [Tensor]) throws {
        func fail(_ detail: String) -> DecompositionFailure {
            .shapeMismatch(operation: "tensor train", detail: detail)
        }
        guard let first = cores.first, let last = cores.last else { throw fail("needs at least one core") }
        for (k, core) in cores.enumerated() {
            guard core.rank == 3, core.elementCount > 0, core.dtype == .float32 else {
                throw fail("core \(k + 1) must be float32 [r, n, r′] without empty dimensions, but is \(core.dtype) \(core.shape)")
            }
            if k > 0, cores[k - 1].shape[2] != core.shape[0] {
                throw fail("cores \(k) and \(k + 1) disagree on their rank: \(cores[k - 1].shape) and \(core.shape)")
            }
        }
        guard first.shape[0] == 1, last.shape[2] == 1 else {
            throw fail("the outer ranks must be 1, but the outer cores are \(first.shape) and \(last.shape)")
        }
        self.cores = cores
    }

    /// n_1 … n_d.
    public var modes: [Int] { cores.map { $0.shape[1] } }
    /// The ranks of the bonds, r_1 … r_{d−1}.
    public var ranks: [Int] { cores.dropLast().map { $0.shape[2] } }
    /// Σ r_{k−1} n_k r_k.
    public var parameterCount: Int { cores.reduce(0) { $0 + $1.elementCount } }

    /// The largest rank each bond of a tensor with these modes can have: min(n_1⋯n_k, n_{k+1}⋯n_d).
    public static func maxRanks(modes: [Int]) -> [Int] {
        modes.indices.dropLast().map { k in
            min(saturatedProduct(modes[...k]), saturatedProduct(modes[(k + 1)...]))
        }
    }

    /// - Throws: `tooLarge` for more float32 elements than may be in use at once.
    static func requireMemory(for elementCount: Int, _ operation: String) throws {
        guard elementCount <= MemoryLedger.limit / DType.float32.byteCount else {
            throw DecompositionFailure.tooLarge(operation: operation, elementCount: elementCount)
        }
    }

    static func saturatedProduct(_ extents: ArraySlice<Int>) -> Int {
        extents.reduce(1) { product, extent in
            let (value, overflow) = product.multipliedReportingOverflow(by: extent)
            return overflow ? .max : value
        }
    }

    /// The full tensor [n_1, …, n_d].
    /// - Throws: `tooLarge` for one that memory cannot hold.
    /// - Complexity: O(n_1⋯n_d · max r), in one matrix product per bond.
    public func reconstructed() throws -> Tensor {
        try Self.requireMemory(for: Self.saturatedProduct(modes[...]), "reconstructing a train")
        var product = try cores[0].reshaped([modes[0], cores[0].shape[2]])
        for core in cores.dropFirst() {
            let next = try core.reshaped([core.shape[0], core.shape[1] * core.shape[2]])
            product = try product.matrixProduct(next).reshaped([-1, core.shape[2]])
        }
        return try product.reshaped(Shape(modes))
    }
}

extension TensorTrain: CustomStringConvertible {
    /// `TensorTrain 16 –(4)– 9 –(6)– 32`: the modes with the ranks between them.
    public var description: String {
        var text = "TensorTrain \(modes[0])"
        for (rank, mode) in zip(ranks, modes.dropFirst()) { text += " –(\(rank))– \(mode)" }
        return text
    }
}
