/// A matrix on the leading eigenvectors of its Gram matrix, and its SVD cut off.
extension Tensor {
    /// `nil` where float32 cannot resolve what was asked.
    func projected(
        on gram: GramSpectrum, _ truncation: SVDTruncation, energy: Double, sparing: Bool = false
    ) throws -> TruncatedSVD? {
        let sufficient = truncation.rank(energies: gram.energies, unlisted: 0)
        let rank = sparing ? truncation.spared(sufficient, count: gram.energies.count) : sufficient
        switch gram.vectors {
        case .single(let vectors):
            let rows = try vectors.sliced(dim: 0, from: 0, to: rank)
            return try projected(on: rows, gram, truncation, energy: energy, sufficient: sufficient)
        case .double(let vectors):
            let rows = vectors.leadingRows(rank)
            return try GramSpectrum.isWide(self)
                ? projected(onRows: rows, gram, energy: energy, sufficient: sufficient)
                : projected(onColumns: rows, gram, energy: energy, sufficient: sufficient)
        }
    }

    private func projected(
        on rows: Tensor, _ gram: GramSpectrum, _ truncation: SVDTruncation, energy: Double, sufficient: Int
    ) throws -> TruncatedSVD? {
        let (left, right): (Tensor, Tensor)
        // The energy that the first so many vectors capture.
        let captured: (Int) throws -> Double
        if GramSpectrum.isWide(self) {
            right = try rows.matrixProduct(self)
            left = try rows.transposed().copy()
            captured = { [right] in try right.sliced(dim: 0, from: 0, to: $0).energy() }
        } else {
            let scaled = try matrixProduct(rows.transposed())
            let (q, r) = try scaled.orthonormalColumns()
            (left, right) = (q, try r.matrixProduct(rows))
            captured = { try scaled.sliced(dim: 1, from: 0, to: $0).energy() }
        }
        let (count, rank) = (gram.energies.count, rows.shape[0])
        var cut = 0.0
        if sufficient < count {
            // float32 eigenvalues are noise below their resolution: what the projection captured is exact.
            let enough = energy - (try captured(sufficient))
            guard enough > SVDMethod.singleLimit * SVDMethod.singleLimit * energy / 4 else { return nil }
            if case .energy(let limit, let maxRank) = truncation, enough > limit, sufficient < maxRank { return nil }
            cut = rank == count ? 0 : rank == sufficient ? enough : max(0, energy - (try captured(rank)))
        }
        return TruncatedSVD(
            left: left, right: right, spectrum: gram.spectrum, cutEnergy: cut,
            rounding: SVDMethod.singleRounding * energy.squareRoot(), sufficientRank: sufficient, route: .gramSingle)
    }

    /// Of a wide matrix: left = rowsᵀ, right = rows · A, in float64 and rounded once.
    private func projected(
        onRows rows: PreciseMatrix, _ gram: GramSpectrum, energy: Double, sufficient: Int
    ) throws -> TruncatedSVD {
        let (m, n, rank) = (shape[0], shape[1], rows.rows)
        let (left, leftLost) = try rows.transposed().narrowed([m, rank])
        let right = try Tensor(uninitialized: [rank, n])
        var (captured, lost) = ([Double](repeating: 0, count: rank), 0.0)
        // A part of the columns at a time, so that A is never held in float64.
        let width = max(64, (1 << 20) / m)
        for start in stride(from: 0, to: n, by: width) {
            let count = min(width, n - start)
            let part = try rows.product(PreciseMatrix(sliced(dim: 1, from: start, to: start + count), rows: m, columns: count))
            try right.withMutableElements(of: Float.self) { target in
                part.withElements { source in
                    for row in 0..<rank {
                        var sum = SIMD2<Double>.zero
                        let (from, to) = (source.baseAddress! + row * count, target.baseAddress! + row * n + start)
                        for j in 0..<count {
                            to[j] = Float(from[j])
                            let pair = SIMD2(from[j], from[j] - Double(to[j]))
                            sum += pair * pair
                        }
                        captured[row] += sum[0]
                        lost += sum[1]
                    }
                }
            }
        }
        let leftEnergy = zip(leftLost, captured).reduce(0) { $0 + $1.0 * $1.1 }
        return TruncatedSVD(
            left: left, right: right, spectrum: gram.spectrum,
            cutEnergy: gram.cutEnergy(captured: captured, energy: energy),
            rounding: leftEnergy.squareRoot() + lost.squareRoot(), sufficientRank: sufficient, route: .gramDouble)
    }

    /// Of a tall matrix: left·R = A · rowsᵀ with orthonormal columns, right = R · rows, in float64 and rounded once.
    private func projected(
        onColumns rows: PreciseMatrix, _ gram: GramSpectrum, energy: Double, sufficient: Int
    ) throws -> TruncatedSVD {
        let (m, n, rank) = (shape[0], shape[1], rows.rows)
        let scaled = try PreciseMatrix(rows: m, columns: rank)
        let height = max(64, (1 << 20) / n)
        for start in stride(from: 0, to: m, by: height) {
            let count = min(height, m - start)
            let part = try PreciseMatrix(sliced(dim: 0, from: start, to: start + count), rows: count, columns: n)
                .product(rows, transposingOther: true)
            part.withElements { (scaled.base + start * rank).update(from: $0.baseAddress!, count: count * rank) }
        }
        let (q, r) = try scaled.orthonormalColumns()
        return try .rounded(
            q, r.product(rows), gram.spectrum, cutEnergy: gram.cutEnergy(captured: [scaled.energy], kept: rank, energy: energy),
            sufficient: sufficient, route: .gramDouble)
    }

    func cutSVD(_ truncation: SVDTruncation, sparing: Bool = false) throws -> TruncatedSVD {
        let svd = try PreciseMatrix(self, rows: shape[0], columns: shape[1]).singularValueDecomposition()
        let energies = svd.values.map { $0 * $0 }
        let sufficient = truncation.rank(energies: energies, unlisted: 0)
        let rank = sparing ? truncation.spared(sufficient, count: energies.count) : sufficient
        let spectrum = SingularSpectrum(
            values: svd.values, unlistedEnergy: 0, resolution: 1e-15 * (svd.values.first ?? 0), isComplete: true)
        return try .rounded(
            svd.u.leadingColumns(rank), svd.vt.leadingRows(rank).scaledRows(by: svd.values), spectrum,
            cutEnergy: energies[rank...].reversed().reduce(0, +), sufficient: sufficient, route: .full)
    }
}

extension TruncatedSVD {
    /// Factors in float64, left with orthonormal columns and right with orthogonal rows, in float32.
    fileprivate static func rounded(
        _ left: PreciseMatrix, _ right: PreciseMatrix, _ spectrum: SingularSpectrum, cutEnergy: Double, sufficient: Int,
        route: SVDMethod
    ) throws -> TruncatedSVD {
        let (u, leftLost) = try left.narrowed([left.rows, left.columns])
        let (v, rightLost) = try right.narrowed([right.rows, right.columns])
        let leftEnergy = zip(leftLost, right.rowEnergies).reduce(0) { $0 + $1.0 * $1.1 }
        return TruncatedSVD(
            left: u, right: v, spectrum: spectrum, cutEnergy: cutEnergy,
            rounding: leftEnergy.squareRoot() + rightLost.reduce(0, +).squareRoot(), sufficientRank: sufficient, route: route)
    }
}

extension GramSpectrum {
    var spectrum: SingularSpectrum {
        let values = values
        let precision: GramPrecision = if case .single = vectors { .single } else { .double }
        return SingularSpectrum(
            values: values, unlistedEnergy: 0, resolution: (values.first ?? 0) * precision.resolution(order: values.count),
            isComplete: true)
    }

    /// What a projection in float64 leaves out: what it did not capture, and what sums of so many squares leave unsure.
    fileprivate func cutEnergy(captured: [Double], kept: Int? = nil, energy: Double) -> Double {
        guard (kept ?? captured.count) < energies.count else { return 0 }
        return max(0, energy - captured.reduce(0, +)) + 0x1p-50 * energy
    }
}
