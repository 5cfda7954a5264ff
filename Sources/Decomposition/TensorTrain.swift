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

    /// The full tensor [n_1, …, n_d]: products in float64, each element rounded once.
    /// - Throws: `tooLarge` for one that memory cannot hold; `outOfRange` for one with elements beyond float32, or with none
    ///   that float32 can tell from 0.
    /// - Complexity: O(n_1⋯n_d · max r), in one matrix product per bond.
    public func reconstructed() throws -> Tensor {
        try Self.requireMemory(for: Self.saturatedProduct(modes[...]), "reconstructing a train")
        let result = try Tensor(uninitialized: Shape(modes))
        let precise = try cores.map { try PreciseCore($0) }
        // Leading modes are multiplied out first; then their rows go through the others a part at a time.
        var (head, exponent, used) = (precise[0].tall, 0, 1)
        while used < precise.count, head.rows < Self.leastRows { try Self.multiply(&head, precise[used], &exponent); used += 1 }
        let width = modes[used...].reduce(1, *)
        let widest = precise[used...].reduce((1, 1)) { sizes, core in
            (sizes.0 * core.mode, max(sizes.1, sizes.0 * core.mode * core.right))
        }.1
        let height = max(1, Self.partSize / widest)
        var isZero = true
        for start in stride(from: 0, to: head.rows, by: height) {
            let count = min(height, head.rows - start)
            var (part, power) = (try head.slicedRows(from: start, count: count), exponent)
            for core in precise[used...] { try Self.multiply(&part, core, &power) }
            isZero = isZero && part.largest == 0
            try result.withMutableElements(of: Float.self) { target in
                let factor = PowerOfTwo.value(power)
                part.withElements { source in
                    for i in source.indices { target[start * width + i] = Float(source[i] * factor) }
                }
            }
        }
        let energy = try result.energy()
        guard energy.isFinite, isZero || energy > 0 else {
            throw DecompositionFailure.outOfRange(operation: "reconstructing a train", exponent: energy > 0 ? 128 : -150)
        }
        return result
    }

    /// Rows to divide into parts, and the elements in float64 of a part.
    private static var leastRows: Int { 64 }
    private static var partSize: Int { 1 << 22 }

    /// Rows times the next core, [m, r] · [r, n·r′] as [m·n, r′], their largest element ½ to 1 where it was far from that.
    private static func multiply(_ rows: inout PreciseMatrix, _ core: PreciseCore, _ exponent: inout Int) throws {
        rows = try rows.product(core.wide).reshaped(rows: rows.rows * core.mode, columns: core.right)
        let power = PowerOfTwo.exponent(of: rows.largest)
        guard abs(power) > 64 else { return }
        rows = try rows.multiplied(byPowerOfTwo: -power)
        exponent += power
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
