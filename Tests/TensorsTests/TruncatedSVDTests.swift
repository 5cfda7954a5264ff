import Tensors
import Testing

/// Every route to a truncated SVD against LAPACK's `sgesdd`.
@MainActor @Suite struct TruncatedSVDTests {
    /// What a matrix is like: the singular values decide which route is good enough.
    enum Kind: String, CaseIterable, Sendable { case plain, falling, deficient, zero, tiny, huge }

    private nonisolated static let shapes: [Shape] = [
        [1, 1], [1, 9], [9, 1], [7, 5], [5, 7], [16, 16], [33, 130], [130, 33], [31, 2000], [400, 330],
    ]
    /// Squared norms of parts of a float32 matrix, as a share of the whole.
    private let energySlack = 1e-6

    private func matrix(_ shape: Shape, _ kind: Kind) throws -> Tensor {
        let (m, n) = (shape[0], shape[1])
        switch kind {
        case .plain: return try sample(shape, seed: 3)
        case .zero: return try .zeros(shape)
        case .tiny: return try sample(shape, seed: 3).multiplying(1e-25)
        case .huge: return try sample(shape, seed: 3).multiplying(1e25)
        case .deficient:
            let rank = max(1, min(m, n) / 3)
            return try sample([m, rank], seed: 4).matrixProduct(sample([rank, n], seed: 5))
        case .falling:
            let rank = min(m, n)
            let weights = (0..<rank).map { Float(1 / Double(($0 + 1) * ($0 + 1))) }
            let factors = try sample([m, rank], seed: 4).multiplying(Tensor(weights))
            return try factors.matrixProduct(sample([rank, n], seed: 5)).adding(sample(shape, seed: 6).multiplying(1e-4))
        }
    }

    /// ‖A − left·right‖² in double precision.
    private func leftOut(_ a: Tensor, _ svd: TruncatedSVD) throws -> Double {
        try a.subtracting(svd.left.matrixProduct(svd.right)).energy()
    }

    private func check(_ a: Tensor, _ truncation: SVDTruncation, _ route: SVDMethod?, _ note: Comment) throws {
        let svd = try a.truncatedSVD(truncation, route: route)
        let reference = try a.singularValueDecomposition().values
        let energy = try a.energy()
        #expect(svd.left.shape == [a.shape[0], svd.rank] && svd.right.shape == [svd.rank, a.shape[1]], note)
        let gram = try svd.left.transposed().matrixProduct(svd.left)
        #expect(try relativeDistance(gram, doubles(.identity(svd.rank))) < kernelTolerance, note)
        let left = try leftOut(a, svd)
        let stated = svd.cutEnergy.squareRoot() + svd.rounding
        #expect(try preciseDistance(a, svd) <= 1.001 * stated, note)
        #expect(abs(left - svd.cutEnergy) <= energySlack * energy, note)
        func tail(_ rank: Int) -> Double { reference[rank...].reduce(0) { $0 + Double($1) * Double($1) } }
        // Nothing of this rank is better, and this is as good but for what the randomised route lets unsettled.
        #expect(left <= tail(svd.rank) * (svd.route == .randomized ? 1.01 : 1) + energySlack * energy, note)
        if case .energy(let limit, let maxRank) = truncation, svd.rank < maxRank {
            #expect(left <= limit + energySlack * energy, note)
            let least = (1...reference.count).first { tail($0) <= limit - energySlack * energy } ?? reference.count
            #expect(svd.rank <= least + (svd.route == .randomized ? 1 : 0), note)
        }
        // By resolution alone: values below it may be anything up to it.
        for (value, expected) in zip(svd.spectrum.values, reference) {
            #expect(abs(value - expected) <= 2 * svd.spectrum.resolution + 2e-6 * (reference.first ?? 0), note)
        }
        #expect(abs(svd.spectrum.energy - energy) <= 1e-4 * energy, note)
        #expect(svd.spectrum.isComplete == (svd.spectrum.values.count == reference.count), note)
    }

    @Test(arguments: shapes, Kind.allCases) func everyRouteKeepsWhatItPromises(_ shape: Shape, _ kind: Kind) throws {
        let a = try matrix(shape, kind)
        let energy = try a.energy()
        let full = min(shape[0], shape[1])
        for route in SVDMethod.allCases.map(Optional.some) + [nil] {
            for rank in [1, (full + 1) / 2, full] { try check(a, .rank(rank), route, "\(kind), rank \(rank), \(route?.rawValue ?? "auto")") }
            for error in [0.5, 0.1, 0.01, 1e-3, 1e-5] {
                try check(
                    a, .energy(cutting: error * error * energy, maxRank: .max), route,
                    "\(kind), error \(error), \(route?.rawValue ?? "auto")")
            }
            try check(a, .none, route, "\(kind), all, \(route?.rawValue ?? "auto")")
        }
    }

    /// A low rank under a little noise: what random projections are for.
    private func noisy(_ shape: Shape, rank: Int, noise: Double) throws -> Tensor {
        let clean = try sample([shape[0], rank], seed: 8).matrixProduct(sample([rank, shape[1]], seed: 9))
        let dirt = try sample(shape, seed: 10)
        return try clean.adding(dirt.multiplying(noise * clean.norm() / dirt.norm()))
    }

    @Test(arguments: [[600, 500], [500, 601]] as [Shape], [0.02, 0.05, 0.3]) func lowRanksAreFoundByRandomProjections(
        _ shape: Shape, _ noise: Double
    ) throws {
        let a = try noisy(shape, rank: 14, noise: noise)
        let energy = try a.energy()
        let limit = 1.2 * noise * noise * energy
        #expect(try a.truncatedSVD(.rank(14)).route == .randomized)
        #expect(try a.truncatedSVD(.energy(cutting: limit, maxRank: .max), route: .randomized).rank <= 14)
        for rank in [1, 10, 14, 30] { try check(a, .rank(rank), .randomized, "rank \(rank)") }
        try check(a, .energy(cutting: limit, maxRank: .max), .randomized, "noise \(noise)")
    }

    @Test func randomProjectionsAreTheSameEveryTime() throws {
        let a = try noisy([520, 512], rank: 9, noise: 0.1)
        let (first, second) = (try a.truncatedSVD(.rank(9)), try a.truncatedSVD(.rank(9)))
        #expect(first.route == .randomized)
        #expect(try first.right.array(of: Float.self) == second.right.array(of: Float.self))
    }

    /// What a route cannot resolve is done by the next one, and an exactly low rank shows as such.
    @Test func routesGiveUpHonestly() throws {
        let exact = try sample([520, 12], seed: 1).matrixProduct(sample([12, 512], seed: 2))
        let svd = try exact.truncatedSVD(.rank(12), route: .randomized)
        let smallest = 1e-11 * (try exact.energy())
        #expect(svd.route == .gramDouble && svd.cutEnergy <= smallest)
        #expect(try sample([300, 280]).truncatedSVD(.rank(200), route: .randomized).route == .gramDouble)
        let fine = try matrix([64, 80], .falling)
        let limit = 1e-6 * (try fine.energy())
        #expect(try fine.truncatedSVD(.energy(cutting: limit, maxRank: .max), route: .gramSingle).route == .gramDouble)
    }

    private nonisolated static let errorChoices: [(Shape, Double, SVDMethod)] = [
        ([576, 64], 0.1, .gramSingle), ([512, 4608], 0.1, .gramSingle), ([2048, 4096], 0.1, .randomized),
        ([2048, 4096], 1e-3, .gramDouble), ([64, 64], 1e-7, .full), ([64, 64], 0, .full),
    ]

    @Test(arguments: errorChoices)
    func theErrorAskedForChoosesTheRoute(_ shape: Shape, _ error: Double, _ expected: SVDMethod) {
        let chosen = SVDMethod.choice(
            rows: shape[0], columns: shape[1], energy: 1, truncation: .energy(cutting: error * error, maxRank: .max))
        #expect(chosen == expected)
    }

    private nonisolated static let rankChoices: [(Shape, SVDTruncation, Double, SVDMethod)] = [
        ([2048, 4096], .rank(20), 1, .randomized), ([2048, 4096], .rank(900), 1, .gramDouble),
        ([64, 576], .rank(4), 1, .gramDouble), ([2048, 4096], .none, 1, .gramDouble),
        ([2048, 4096], .rank(.max), 1, .gramDouble),
    ]

    @Test(arguments: rankChoices)
    func ranksAndSizesChooseTheRoute(_ shape: Shape, _ truncation: SVDTruncation, _ energy: Double, _ expected: SVDMethod) {
        #expect(SVDMethod.choice(rows: shape[0], columns: shape[1], energy: energy, truncation: truncation) == expected)
    }

    @Test func oneThreadGivesTheSame() throws {
        let threads = Threads.count
        defer { Threads.count = threads }
        let a = try matrix([24, 70_000], .falling)
        for truncation in [SVDTruncation.rank(5), .energy(cutting: 1e-2 * (try a.energy()), maxRank: .max)] {
            Threads.count = 1
            let alone = try a.truncatedSVD(truncation)
            Threads.count = 2
            let shared = try a.truncatedSVD(truncation)
            #expect(alone.rank == shared.rank)
            let (x, y) = (try alone.left.matrixProduct(alone.right), try shared.left.matrixProduct(shared.right))
            #expect(try relativeDistance(x, doubles(y)) < kernelTolerance)
        }
    }

    @Test func manyMatricesAtOnceAreEachTheirOwn() throws {
        let many = try Self.shapes.map { try matrix($0, .falling) }
        let bases = try Tensor.leadingBases(of: many)
        for ((a, svd), basis) in zip(zip(many, try Tensor.fullSVDs(of: many)), bases) {
            let alone = try a.truncatedSVD(.none)
            #expect(svd.spectrum == alone.spectrum && basis.values == svd.spectrum.values)
            #expect(try svd.right.array(of: Float.self) == alone.right.array(of: Float.self))
            let projected = try basis.rows.transposed().matrixProduct(basis.rows.matrixProduct(a))
            #expect(try relativeDistance(projected, doubles(a)) < kernelTolerance)
        }
    }

    @Test func ranksBeyondTheMatrixAreAllOfIt() throws {
        let a = try matrix([300, 280], .falling)
        for route in SVDMethod.allCases { #expect(try a.truncatedSVD(.rank(.max), route: route).rank == 280) }
        #expect(try a.truncatedSVD(.energy(cutting: 0, maxRank: .max)).rank == 280)
    }

    /// A matrix may hold what float32 does, and have a norm that it does not.
    @Test func normsBeyondFloat32AreNamed() throws {
        let huge = try Tensor.full([40, 50], 1e38)
        #expect(abs(try huge.singularValueDecomposition().values[0] / (1e38 * 2000.0.squareRoot()) - 1) < 1e-5)
        expectFailure("tensor.invalidArgument", "svd: the norm of 40 × 50 values is beyond float32") { _ = try huge.truncatedSVD(.rank(1)) }
        let fits = try Tensor.full([2, 2], 1e38).truncatedSVD(.rank(1))
        #expect(try relativeDistance(fits.left.matrixProduct(fits.right), doubles(.full([2, 2], 1e38))) < kernelTolerance)
        #expect(abs(fits.spectrum.values[0] / 2e38 - 1) < 1e-6)
    }

    /// Nothing but rounding lies behind rank 1: it is no content, and what is stated is not below what is lost.
    @Test(arguments: [[400, 400], [1000, 90], [90, 1000]] as [Shape]) func tightErrorsAreHonest(_ shape: Shape) throws {
        let a = try sample([shape[0], 1], seed: 1).matrixProduct(sample([1, shape[1]], seed: 2))
        let norm = try a.energy().squareRoot()
        for error in [1.1e-7, 1e-6, 1e-5] {
            let svd = try a.truncatedSVD(.energy(cutting: error * error * norm * norm, maxRank: .max))
            #expect(svd.rank == 1, "\(error): \(svd.rank)")
        }
        for route in [SVDMethod.gramDouble, .full] {
            for rank in [1, 2, 90] {
                let svd = try a.truncatedSVD(.rank(rank), route: route)
                let stated = svd.cutEnergy.squareRoot() + svd.rounding
                let lost = try preciseDistance(a, svd)
                #expect(lost <= stated && stated < 4e-7 * norm, "\(route), \(rank): \(lost / norm), stated \(stated / norm)")
            }
        }
    }

    /// ‖A − left·right‖ of the factors as they are, in double precision.
    private func preciseDistance(_ a: Tensor, _ svd: TruncatedSVD) throws -> Double {
        let (m, n, r) = (a.shape[0], a.shape[1], svd.rank)
        let product = try PreciseMatrix(svd.left, rows: m, columns: r).product(PreciseMatrix(svd.right, rows: r, columns: n))
        let values = try a.array(of: Float.self)
        return product.withElements { elements in
            elements.indices.reduce(0.0) { $0 + (elements[$1] - Double(values[$1])) * (elements[$1] - Double(values[$1])) }.squareRoot()
        }
    }

    @Test func viewsAreRead() throws {
        let a = try matrix([40, 60], .falling)
        let view = try a.transposed().copy().transposed()
        #expect(try view.truncatedSVD(.none).spectrum == a.truncatedSVD(.none).spectrum)
        let bases = try Tensor.leadingBases(of: [view, sample([12, 12]).transposed()])
        #expect(try relativeDistance(bases[0].rows, doubles(Tensor.leadingBases(of: [a])[0].rows)) < kernelTolerance)
        let square = try sample([12, 12]).transposed()
        let projected = try bases[1].rows.matrixProduct(square)
        let products = try projected.matrixProduct(projected.transposed())
        let squares = try Tensor(bases[1].values.map { Float($0 * $0) })
        #expect(try relativeDistance(products, doubles(Tensor.identity(12).multiplying(squares))) < kernelTolerance)
    }

    @Test func badMatricesAreRefused() throws {
        let bad = try Tensor([1, .infinity, 3, 4] as [Float], shape: [2, 2])
        expectFailure("tensor.invalidArgument", "svd: [2, 2] holds values that are not finite") { _ = try bad.truncatedSVD(.rank(1)) }
        expectFailure("tensor.shapeMismatch", "svd: [0, 3] has no elements") { _ = try Tensor.zeros([0, 3]).truncatedSVD(.none) }
        expectFailure("tensor.shapeMismatch", "needs a tensor of rank 2, but got [2, 2, 2]") { _ = try Tensor.zeros([2, 2, 2]).truncatedSVD(.none) }
    }
}
