/// The leading part of a singular value decomposition, A ≈ left · right.
public struct TruncatedSVD: Sendable {
    /// [m, r] with orthonormal columns that span the leading left singular vectors.
    public let left: Tensor
    /// [r, n], leftᵀ·A: row i is σᵢ times the i-th right singular vector, up to rounding and sign.
    public let right: Tensor
    public let spectrum: SingularSpectrum
    /// ‖A − U·Uᵀ·A‖² for the orthonormal U that `left` is, but for its rounding.
    public let cutEnergy: Double
    /// At most this much, as a norm, is lost besides by computing and by rounding `left` and `right` to float32:
    /// ‖A − left·right‖ ≤ √cutEnergy + rounding.
    public let rounding: Double
    /// The rank that the truncation asked for; `rank` is higher where some more were spared.
    package let sufficientRank: Int
    /// The route that gave it.
    public let route: SVDMethod

    public var rank: Int { right.shape[0] }
}

extension Tensor {
    /// The truncated SVD of a matrix [m, n], by the cheapest route that is safe for what is asked (`SVDMethod`).
    ///
    /// - Parameters:
    ///   - truncation: which triples to keep.
    ///   - route: the first route to try; chosen by shape and truncation unless given.
    /// - Throws: `shapeMismatch` for anything but a matrix with elements, `invalidArgument` for values that are not
    ///   finite and for a matrix whose norm is beyond float32, `noConvergence`, `outOfMemory`.
    public func truncatedSVD(_ truncation: SVDTruncation, route: SVDMethod? = nil) throws -> TruncatedSVD {
        try requireRank(2, "svd")
        guard elementCount > 0 else {
            throw TensorFailure.shapeMismatch(operation: "svd", detail: "\(shape) has no elements")
        }
        let energy = try energy()
        let exponent = PowerOfTwo.exponent(energy: energy)
        guard exponent != 0 else { return try truncatedSVD(truncation, energy: energy, route: route) }
        let scaled = try multiplied(byPowerOfTwo: -exponent)
        let result = try scaled.truncatedSVD(
            truncation.multiplied(byPowerOfTwo: -exponent), energy: scaled.energy(), route: route)
        return try result.multiplied(byPowerOfTwo: exponent)
    }

    /// The same where ‖A‖², an ordinary number, is known.
    /// - Parameter sparing: whether some triples more than the truncation asks for are kept, for who may trade them for others.
    package func truncatedSVD(
        _ truncation: SVDTruncation, energy: Double, sparing: Bool = false, route: SVDMethod? = nil
    ) throws -> TruncatedSVD {
        guard energy.isFinite else {
            throw TensorFailure.invalidArgument(operation: "svd", detail: "\(shape) holds values that are not finite")
        }
        let work = Double(elementCount) * Double(min(shape[0], shape[1]))
        if work < Self.sharedWork, Threads.count > 1 {
            return try Threads.withOneThread {
                try truncatedSVD(truncation, energy: energy, sparing: sparing, route: route)
            }
        }
        let matrix = try contiguous()
        var route = route ?? .choice(rows: shape[0], columns: shape[1], energy: energy, truncation: truncation)
        while true {
            if let result = try matrix.truncatedSVD(truncation, energy: energy, sparing: sparing, by: route) { return result }
            route = route.fallback
        }
    }

    /// Multiply-adds of a Gram matrix below which one thread does it all.
    private static var sharedWork: Double { 8e6 }

    /// `nil` where the route cannot keep what is asked.
    private func truncatedSVD(
        _ truncation: SVDTruncation, energy: Double, sparing: Bool, by route: SVDMethod
    ) throws -> TruncatedSVD? {
        switch route {
        case .randomized: try RangeFinder(self, energy: energy).truncatedSVD(truncation, sparing: sparing)
        case .gramSingle:
            try projected(on: GramSpectrum(of: self, precision: .single), truncation, energy: energy, sparing: sparing)
        case .gramDouble:
            try projected(on: GramSpectrum(of: self, precision: .double), truncation, energy: energy, sparing: sparing)
        case .full: try cutSVD(truncation, sparing: sparing)
        }
    }

    /// The full SVDs of several matrices, whose eigenproblems run at the same time.
    package static func fullSVDs(of matrices: [Tensor]) throws -> [TruncatedSVD] {
        try zip(matrices, GramSpectrum.spectra(of: matrices, precision: .double)).map { matrix, spectrum in
            try matrix.projected(on: spectrum, .none, energy: 0) ?? matrix.cutSVD(.none)
        }
    }

    /// The left singular vectors of several matrices [m, n], as rows [min(m, n), m], and their singular values; the
    /// eigenproblems run at the same time.
    package static func leadingBases(of matrices: [Tensor]) throws -> [(rows: Tensor, values: [Double])] {
        try zip(matrices, GramSpectrum.spectra(of: matrices, precision: .double)).map { matrix, spectrum in
            if GramSpectrum.isWide(matrix) { return (try spectrum.rows(), spectrum.values) }
            let columns = try matrix.matrixProduct(spectrum.rows().transposed()).orthonormalColumns().q
            return (try columns.transposed().copy(), spectrum.values)
        }
    }

    /// ‖A‖², in double precision and on all threads; not finite where an element is not.
    package func energy() throws -> Double {
        try withElements(of: Float.self) { elements in
            let parts = max(1, min(Threads.count, elements.count >> 16))
            var sums = [Double](repeating: 0, count: parts)
            sums.withUnsafeMutableBufferPointer { sums in
                nonisolated(unsafe) let sums = sums
                parallelFor(parts, grain: 1) { share in
                    for part in share {
                        let range = (elements.count * part / parts)..<(elements.count * (part + 1) / parts)
                        let slice = UnsafeBufferPointer(rebasing: elements[range])
                        sums[part] = slice.isEmpty ? 0 : Vectors.dot(slice, slice)
                    }
                }
            }
            return sums.reduce(0, +)
        }
    }
}

extension TruncatedSVD {
    /// That of the matrix times 2ᵉ.
    /// - Throws: `invalidArgument` where `right` would hold values beyond float32.
    func multiplied(byPowerOfTwo exponent: Int) throws -> TruncatedSVD {
        let scaled = try right.multiplied(byPowerOfTwo: exponent)
        guard try scaled.energy().isFinite else {
            throw TensorFailure.invalidArgument(
                operation: "svd", detail: "the norm of \(left.shape[0]) × \(right.shape[1]) values is beyond float32; scale them down")
        }
        return TruncatedSVD(
            left: left, right: scaled, spectrum: spectrum.multiplied(byPowerOfTwo: exponent),
            cutEnergy: PowerOfTwo.scaled(cutEnergy, by: 2 * exponent), rounding: PowerOfTwo.scaled(rounding, by: exponent),
            sufficientRank: sufficientRank, route: route)
    }
}

extension SVDTruncation {
    /// How many triples to keep of those with these energies, where others hold the energy `unlisted`.
    package func rank(energies: [Double], unlisted: Double) -> Int {
        switch self {
        case .none: return energies.count
        case .rank(let rank): return max(1, min(rank, energies.count))
        case .energy(let limit, let maxRank):
            var tail = unlisted
            var rank = energies.count
            while rank > 1 {
                tail += energies[rank - 1]
                if tail > limit { break }
                rank -= 1
            }
            return min(rank, max(1, maxRank))
        }
    }

    /// `rank` and some more, of `count` triples.
    package func spared(_ rank: Int, count: Int) -> Int {
        guard case .energy(_, let maxRank) = self else { return rank }
        // Where there are few, all of them cost next to nothing.
        return max(rank, min(count <= 16 ? count : rank + max(2, rank / 16), count, maxRank))
    }

    /// The same for a matrix times 2ᵉ.
    func multiplied(byPowerOfTwo exponent: Int) -> SVDTruncation {
        guard case .energy(let limit, let maxRank) = self else { return self }
        return .energy(cutting: PowerOfTwo.scaled(limit, by: 2 * exponent), maxRank: maxRank)
    }
}
