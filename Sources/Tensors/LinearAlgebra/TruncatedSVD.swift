/// The leading part of a singular value decomposition, A ≈ left · right.
public struct TruncatedSVD: Sendable {
    /// [m, r] with orthonormal columns that span the leading left singular vectors.
    public let left: Tensor
    /// [r, n], leftᵀ·A: row i is σᵢ times the i-th right singular vector, up to rounding and sign.
    public let right: Tensor
    public let spectrum: SingularSpectrum
    /// ‖A − left·right‖².
    public let cutEnergy: Double
    /// The route that gave it.
    public let route: TruncationRoute

    public var rank: Int { right.shape[0] }
}

extension Tensor {
    /// The truncated SVD of a matrix [m, n], by the cheapest route that is safe for what is asked (`TruncationRoute`).
    ///
    /// - Parameters:
    ///   - truncation: which triples to keep.
    ///   - route: the first route to try; chosen by shape and truncation unless given.
    /// - Throws: `shapeMismatch` for anything but a matrix with elements, `invalidArgument` for values that are not
    ///   finite, `noConvergence`.
    public func truncatedSVD(_ truncation: SVDTruncation, route: TruncationRoute? = nil) throws -> TruncatedSVD {
        try requireRank(2, "svd")
        guard elementCount > 0 else {
            throw TensorFailure.shapeMismatch(operation: "svd", detail: "\(shape) has no elements")
        }
        return try truncatedSVD(truncation, energy: energy(), route: route)
    }

    /// The same where ‖A‖² is known.
    package func truncatedSVD(
        _ truncation: SVDTruncation, energy: Double, route: TruncationRoute? = nil
    ) throws -> TruncatedSVD {
        guard energy.isFinite else {
            throw TensorFailure.invalidArgument(operation: "svd", detail: "\(shape) holds values that are not finite")
        }
        let work = Double(elementCount) * Double(min(shape[0], shape[1]))
        if work < Self.sharedWork, Threads.count > 1 {
            return try Threads.withOneThread { try truncatedSVD(truncation, energy: energy, route: route) }
        }
        let matrix = try contiguous()
        var route = route ?? .choice(rows: shape[0], columns: shape[1], energy: energy, truncation: truncation)
        while true {
            if let result = try matrix.truncatedSVD(truncation, energy: energy, by: route) { return result }
            route = route.fallback
        }
    }

    /// Multiply-adds of a Gram matrix below which one thread does it all.
    private static var sharedWork: Double { 8e6 }

    /// `nil` where the route cannot keep what is asked.
    private func truncatedSVD(
        _ truncation: SVDTruncation, energy: Double, by route: TruncationRoute
    ) throws -> TruncatedSVD? {
        switch route {
        case .randomized: try RangeFinder(self, energy: energy).truncatedSVD(truncation)
        case .gramSingle: try projected(on: GramSpectrum(of: self, precision: .single), truncation, energy: energy)
        case .gramDouble: try projected(on: GramSpectrum(of: self, precision: .double), truncation, energy: energy)
        case .full: try cutSVD(truncation)
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
    package static func leadingBases(of matrices: [Tensor]) throws -> [(rows: Tensor, values: [Float])] {
        try zip(matrices, GramSpectrum.spectra(of: matrices, precision: .double)).map { matrix, spectrum in
            let values = spectrum.energies.map { Float($0.squareRoot()) }
            if GramSpectrum.isWide(matrix) { return (spectrum.vectors, values) }
            let columns = try matrix.matrixProduct(spectrum.vectors.transposed()).orthonormalColumns().q
            return (try columns.transposed().copy(), values)
        }
    }

    /// This matrix on the leading eigenvectors of its Gram matrix.
    private func projected(
        on gram: GramSpectrum, _ truncation: SVDTruncation, energy: Double
    ) throws -> TruncatedSVD? {
        let rank = truncation.rank(energies: gram.energies, unlisted: 0)
        let rows = try gram.vectors.sliced(dim: 0, from: 0, to: rank)
        let (left, right, captured): (Tensor, Tensor, Double)
        if GramSpectrum.isWide(self) {
            right = try rows.matrixProduct(self)
            left = try rows.transposed().copy()
            captured = gram.precision == .single ? try right.energy() : 0
        } else {
            let scaled = try matrixProduct(rows.transposed())
            captured = gram.precision == .single ? try scaled.energy() : 0
            let (q, r) = try scaled.orthonormalColumns()
            (left, right) = (q, try r.matrixProduct(rows))
        }
        var cut = gram.energies[rank...].reversed().reduce(0, +)
        if gram.precision == .single, rank < gram.energies.count {
            // float32 eigenvalues are noise below their resolution: what the projection captured is exact.
            cut = max(0, energy - captured)
            guard cut > TruncationRoute.singleLimit * TruncationRoute.singleLimit * energy / 4 else { return nil }
            if case .energy(let limit, let maxRank) = truncation, cut > limit, rank < maxRank { return nil }
        }
        let largest = (gram.energies.first ?? 0).squareRoot()
        let spectrum = SingularSpectrum(
            values: gram.energies.map { Float($0.squareRoot()) }, unlistedEnergy: 0,
            resolution: Float(largest * gram.precision.resolution(order: gram.energies.count)), isComplete: true)
        return TruncatedSVD(
            left: left, right: right, spectrum: spectrum, cutEnergy: cut,
            route: gram.precision == .single ? .gramSingle : .gramDouble)
    }

    private func cutSVD(_ truncation: SVDTruncation) throws -> TruncatedSVD {
        let svd = try singularValueDecomposition()
        let energies = svd.values.map { Double($0) * Double($0) }
        let rank = truncation.rank(energies: energies, unlisted: 0)
        let scale = try Tensor(Array(svd.values[..<rank]), shape: [rank, 1])
        return TruncatedSVD(
            left: try svd.u.sliced(dim: 1, from: 0, to: rank).copy(),
            right: try svd.vt.sliced(dim: 0, from: 0, to: rank).multiplying(scale),
            spectrum: SingularSpectrum(
                values: svd.values, unlistedEnergy: 0, resolution: 1e-7 * (svd.values.first ?? 0), isComplete: true),
            cutEnergy: energies[rank...].reversed().reduce(0, +), route: .full)
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

extension SVDTruncation {
    /// How many triples to keep of those with these energies, where others hold the energy `unlisted`.
    func rank(energies: [Double], unlisted: Double) -> Int {
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
}
