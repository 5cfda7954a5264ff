import Basics

/// The leading singular triples of a matrix from a few products with a thin random one.
///
/// A block of vectors goes through A and Aᵀ until the energy it captures at the wanted rank stands still: then the
/// triples are as good as those of the full SVD up to `settled`. Random signs come from a fixed seed, so the same
/// matrix always gives the same result.
/// - Reference: N. Halko, P. G. Martinsson, J. A. Tropp, *Finding Structure with Randomness*, SIAM Review 53(2), 2011,
///   doi:10.1137/090771806, algorithms 4.4 and 5.1.
struct RangeFinder {
    private let matrix: Tensor
    private let energy: Double
    /// The energy captured may still grow by this share of what is left out.
    private static let settled = 1e-3
    private static let mostPasses = 8
    private static let oversampling = 12

    init(_ matrix: Tensor, energy: Double) {
        self.matrix = matrix
        self.energy = energy
    }

    /// Vectors for a known rank.
    static func width(rank: Int) -> Int {
        // Ranks beyond any matrix's need no more vectors than there can be.
        let rank = min(rank, 1 << 32)
        return max(16, rank + max(oversampling, rank / 4))
    }
    /// Vectors to begin with where only the error is known.
    static func firstWidth(_ shorter: Int) -> Int { max(32, shorter / 48) }

    /// `nil` where too many vectors would be needed, they do not settle, or what is left out is too small to be seen
    /// in float32.
    func truncatedSVD(_ truncation: SVDTruncation, sparing: Bool) throws -> TruncatedSVD? {
        let shorter = min(matrix.shape[0], matrix.shape[1])
        var width =
            switch truncation {
            case .none: shorter
            case .rank(let rank): Self.width(rank: rank)
            case .energy: Self.firstWidth(shorter)
            }
        while width <= shorter / 4 {
            switch try attempt(truncation, sparing: sparing, width: width) {
            case .found(let result): return result
            case .needs(let more): width = max(more, width * 2)
            case .hopeless: return nil
            }
        }
        return nil
    }

    private enum Outcome {
        case found(TruncatedSVD)
        case needs(width: Int)
        case hopeless
    }

    private func attempt(_ truncation: SVDTruncation, sparing: Bool, width: Int) throws -> Outcome {
        let transposed = try matrix.transposed()
        var block = try firstBlock(width)
        var before: (rank: Int, captured: Double)?
        for _ in 0..<Self.mostPasses {
            let q = try matrix.matrixProduct(block).orthonormalColumns().q
            let inner = try q.transposed().matrixProduct(matrix)
            let spectrum = try GramSpectrum(of: inner, precision: .double)
            let captured = spectrum.energies.reduce(0, +)
            if case .energy(let limit, let maxRank) = truncation, energy - captured > limit,
                maxRank > width - Self.oversampling
            {
                // Each further triple holds at most as much as the last one seen.
                let last = max(spectrum.energies.last ?? 0, .leastNormalMagnitude)
                let missing = (energy - captured - limit) / last
                return missing < Double(1 << 20) ? .needs(width: width + Int(missing) + Self.oversampling) : .hopeless
            }
            let rank = truncation.rank(energies: spectrum.energies, unlisted: max(0, energy - captured))
            let kept = spectrum.energies[..<rank].reduce(0, +)
            let rest = energy - kept
            guard rest > SVDMethod.singleLimit * SVDMethod.singleLimit * energy else { return .hopeless }
            if let before, before.rank == rank, kept - before.captured <= Self.settled * rest {
                let kept = sparing ? truncation.spared(rank, count: spectrum.energies.count) : rank
                return .found(try result(q, inner, spectrum, sufficient: rank, rank: kept))
            }
            before = (rank, kept)
            block = try transposed.matrixProduct(q).orthonormalColumns().q
        }
        return .hopeless
    }

    private func result(
        _ q: Tensor, _ inner: Tensor, _ spectrum: GramSpectrum, sufficient: Int, rank: Int
    ) throws -> TruncatedSVD {
        let rows = try spectrum.rows().sliced(dim: 0, from: 0, to: rank)
        let right = try rows.matrixProduct(inner)
        let cut = max(0, energy - (try right.energy()))
        let values = Array(spectrum.values[..<rank])
        return TruncatedSVD(
            left: try q.matrixProduct(rows.transposed()), right: right,
            spectrum: SingularSpectrum(
                values: values, unlistedEnergy: cut,
                // What may still be gained could all belong to one of the values.
                resolution: max(3e-4 * (values.first ?? 0), (Self.settled * cut).squareRoot()), isComplete: false),
            cutEnergy: cut, rounding: SVDMethod.singleRounding * energy.squareRoot(), sufficientRank: sufficient,
            route: .randomized)
    }

    /// Random signs [n, width]; of a wide matrix, taken through Aᵀ, so that there are fewer to draw.
    private func firstBlock(_ width: Int) throws -> Tensor {
        let (m, n) = (matrix.shape[0], matrix.shape[1])
        var random = RandomSource(seed: 0x7261_6E67_65)
        let signs = try Tensor(uninitialized: [min(m, n), width])
        try signs.withMutableElements(of: Float.self) { elements in
            var bits: UInt64 = 0
            for i in elements.indices {
                if i % 64 == 0 { bits = random.next() }
                elements[i] = bits & 1 == 0 ? 1 : -1
                bits >>= 1
            }
        }
        return n <= m ? signs : try matrix.transposed().matrixProduct(signs).orthonormalColumns().q
    }
}
