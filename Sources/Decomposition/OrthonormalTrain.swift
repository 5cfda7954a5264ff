import Tensors

/// A train in float64, all of whose cores but the last have orthonormal columns as [r_{k−1}·n_k, r_k], times a power of two.
///
/// The last core carries the norm, and what lies right of a bond is known by its Gram matrix there: a bond is cut by the leading
/// eigenvectors of that, and nothing has to be made orthonormal again.
struct OrthonormalTrain {
    private(set) var cores: [PreciseCore]
    /// The tensor is 2ᵉ times what the cores stand for.
    let exponent: Int

    init(cores: [PreciseCore], exponent: Int) { (self.cores, self.exponent) = (cores, exponent) }

    /// - Complexity: O(d · n · r³), by QR.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, algorithm 2.
    init(_ train: TensorTrain) throws { try self.init(orthonormalizing: train.cores.map { try PreciseCore($0) }) }

    /// From any cores, left to right. Ranks above what the modes to the left allow fall to that.
    init(orthonormalizing cores: [PreciseCore]) throws {
        var (done, exponent) = ([PreciseCore](), 0)
        var carried: PreciseMatrix?
        for (k, core) in cores.enumerated() {
            let (current, power) = try (carried.map { try core.multiplied(fromLeft: $0) } ?? core).normalized()
            exponent += power
            guard k < cores.count - 1 else {
                done.append(current)
                break
            }
            let (q, r) = try current.tall.orthogonalFactors()
            done.append(PreciseCore(q, left: current.left, mode: core.mode, right: q.columns))
            carried = r
        }
        self.init(cores: done, exponent: exponent)
    }

    /// The same tensor with its modes in the opposite order, and the same power of two.
    func mirrored() throws -> OrthonormalTrain {
        var other = try OrthonormalTrain(orthonormalizing: cores.reversed().map { try $0.mirrored() })
        other.cores[cores.count - 1] = try other.cores[cores.count - 1].multiplied(byPowerOfTwo: other.exponent)
        return OrthonormalTrain(cores: other.cores, exponent: exponent)
    }

    var modes: [Int] { cores.map(\.mode) }
    var ranks: [Int] { cores.dropLast().map(\.right) }
    /// ‖W‖², without the power of two.
    var energy: Double { cores[cores.count - 1].wide.energy }

    /// The train with every bond cut to a rank, or turned only where the rank is the bond's own.
    struct Cut {
        /// Each core with the basis to its right and, still, all vectors of the bond to its left.
        fileprivate let turned: [PreciseCore]
        /// An orthogonal matrix per bond, [R_k, R_k], of which the cut keeps the first r_k columns, Q_k; `nil` for the vectors as
        /// they are.
        fileprivate let bases: [PreciseMatrix?]
        /// Per bond the energies σ² met before the cut, descending.
        let energies: [[Double]]
        /// ‖W − Ŵ‖², without the power of two, and what sums in float64 leave unsure.
        let cutEnergy: Double

        func cores() throws -> [PreciseCore] {
            try turned.enumerated().map { k, core in
                guard k > 0 else { return core }
                let rank = turned[k - 1].right
                let basis = try bases[k - 1]?.leadingColumns(rank)
                let rows = try basis?.product(core.wide, transposingSelf: true) ?? core.wide.leadingRows(rank)
                return PreciseCore(rows, left: rank, mode: core.mode, right: core.right)
            }
        }

        /// Zᵀ [R_k − r_k, R_k]: the vectors of a bond that the cut leaves out, as orthonormal rows; `nil` where it keeps all.
        func leftOut(bond: Int) throws -> PreciseMatrix? {
            let (whole, rank) = (turned[bond + 1].left, turned[bond].right)
            guard rank < whole else { return nil }
            if let basis = bases[bond] { return try basis.transposed().slicedRows(from: rank, count: whole - rank) }
            let rows = try PreciseMatrix.zeros(rows: whole - rank, columns: whole)
            rows.withElements { for i in 0..<whole - rank { $0[i * whole + rank + i] = 1 } }
            return rows
        }

        /// The core at a place with the basis to its right, and to its left with `rows` of vectors of that bond [z, R_k].
        func core(_ place: Int, behind rows: PreciseMatrix) throws -> PreciseCore {
            try turned[place].multiplied(fromLeft: rows)
        }
    }

    /// Right to left, each bond given those right of it.
    /// - Parameters:
    ///   - ranks: one per bond; `nil` for all.
    ///   - tolerance: the energy by which `cutEnergy` may be off, so that bases need not be turned that hardly have to.
    /// - Complexity: O(d · n · r³).
    func cut(to ranks: [Int]? = nil, tolerance: Double = 0) throws -> Cut {
        let last = cores.count - 1
        var (turned, bases, energies) = ([cores[last]], [PreciseMatrix?](), [[Double]]())
        var cutEnergy = 0.0
        var gram = try last > 0 ? cores[last].wide.gram() : nil
        for bond in stride(from: last - 1, through: 0, by: -1) {
            guard let found = try gram?.basis(tolerance: tolerance) else { break }
            let rank = min(ranks?[bond] ?? .max, found.values.count)
            if rank < found.values.count {
                cutEnergy += max(0, found.values[rank...].reversed().reduce(0, +)) + 0x1p-50 * energy
            }
            let core = cores[bond]
            let basis = try found.vectors?.leadingColumns(rank)
            let columns = try basis.map { try core.tall.product($0) } ?? core.tall.leadingColumns(rank)
            let next = PreciseCore(columns, left: core.left, mode: core.mode, right: rank)
            energies.append(found.values)
            bases.append(found.vectors)
            turned.append(next)
            guard bond > 0 else { break }
            let weighed = try next.tall.scaledColumns(by: found.values[..<rank].map { max(0, $0).squareRoot() })
            gram = try weighed.reshaped(rows: core.left, columns: core.mode * rank).gram()
        }
        return Cut(turned: turned.reversed(), bases: bases.reversed(), energies: energies.reversed(), cutEnergy: cutEnergy)
    }

    /// The first vectors of every bond as they are.
    /// - Parameters:
    ///   - energies: σ² per bond.
    ///   - cutEnergy: what that loses.
    func sliced(to ranks: [Int], energies: [[Double]], cutEnergy: Double) throws -> Cut {
        let turned = try cores.enumerated().map { k, core in
            guard k < ranks.count else { return core }
            return PreciseCore(try core.tall.leadingColumns(ranks[k]), left: core.left, mode: core.mode, right: ranks[k])
        }
        return Cut(
            turned: turned, bases: ranks.map { _ in nil }, energies: energies, cutEnergy: cutEnergy + 0x1p-50 * energy)
    }

    /// Multiply-adds of a cut.
    var cutWork: Double {
        cores.reduce(0) { sum, core in
            let (left, right) = (Double(core.left), Double(core.right))
            return sum + Double(core.mode) * left * right * (left + right) + 10 * right * right * right
        }
    }

    /// The cores of a cut in float32, and at most how much, as a norm, their rounding adds to its error.
    ///
    /// What lies left of a core does not raise norms, and what lies right of it has the energies of the bond: rounding of a
    /// column counts by the energy that it is multiplied by.
    static func rounded(_ cut: Cut) throws -> (cores: [Tensor], rounding: Double) {
        var (tensors, rounding) = ([Tensor](), 0.0)
        for (k, core) in try cut.cores().enumerated() {
            let (tensor, lost) = try core.narrowed()
            tensors.append(tensor)
            let weighed = k < cut.energies.count ? zip(lost, cut.energies[k]).reduce(0) { $0 + $1.0 * max(0, $1.1) } : lost[0]
            rounding += weighed.squareRoot()
        }
        return (tensors, rounding)
    }
}

extension PreciseMatrix {
    /// The eigenvalues of a Gram matrix, descending, and its eigenvectors as columns: `nil` where it is diagonal, with the largest
    /// values first, but for a norm of at most `tolerance`.
    fileprivate func basis(tolerance: Double) throws -> (values: [Double], vectors: PreciseMatrix?) {
        let diagonal = withElements { elements in (0..<rows).map { elements[$0 * rows + $0] } }
        let apart = energy - diagonal.reduce(0) { $0 + $1 * $1 }
        if apart <= tolerance * tolerance, zip(diagonal, diagonal.dropFirst()).allSatisfy({ $0 >= $1 }) { return (diagonal, nil) }
        let found = try symmetricEigen()
        return (found.values, found.vectors)
    }
}
