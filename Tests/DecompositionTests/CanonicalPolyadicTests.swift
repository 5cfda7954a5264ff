import Basics
import Decomposition
import Tensors
import Testing

@Suite(.serialized) struct CanonicalPolyadicTests {
    private func vectors(_ n: Int, _ rank: Int, _ random: inout RandomSource) throws -> Tensor {
        try .normal([n, rank], using: &random)
    }

    /// Σ_r output[o, r] · input[c, r] · rows[y, r] · columns[x, r].
    private func sum(_ output: Tensor, _ input: Tensor, _ rows: Tensor, _ columns: Tensor) throws -> Tensor {
        let (o, c, kh, kw, r) = (output.shape[0], input.shape[0], rows.shape[0], columns.shape[0], output.shape[1])
        let whole = try output.reshaped([o, 1, 1, 1, r]).multiplying(input.reshaped([c, 1, 1, r]))
            .multiplying(rows.reshaped([kh, 1, r])).multiplying(columns.reshaped([kw, r]))
        return try whole.sum(along: 4)
    }

    private func error(_ weight: Tensor, _ found: CanonicalPolyadic) throws -> Double {
        let apart = try weight.subtracting(sum(found.output, found.input, found.rows, found.columns))
        return try apart.energy() / weight.energy()
    }

    @Test(arguments: [1.0, 1e-20, 1e15]) func aSumOfFewTermsIsFound(scale: Double) throws {
        var random = RandomSource(seed: 3)
        let weight = try sum(
            vectors(9, 3, &random), vectors(7, 3, &random), vectors(3, 3, &random), vectors(5, 3, &random)
        ).multiplying(scale)
        let found = try CanonicalPolyadicFit(weight).factors(rank: 3, sweepLimit: 400)
        #expect(found.rank == 3 && found.relativeSquaredError < 1e-4, "\(found.relativeSquaredError)")
        #expect(abs(try error(weight, found) - found.relativeSquaredError) < 1e-6)
    }

    @Test func errorsFallWithTheRankAndAreStatedExactly() throws {
        var random = RandomSource(seed: 4)
        let weight = try Tensor.normal([12, 10, 3, 3], using: &random)
        let fit = try CanonicalPolyadicFit(weight)
        var (last, start) = (1.0, CanonicalPolyadic?.none)
        for rank in [1, 4, 8, 16, 32, 64] {
            let found = try fit.factors(rank: rank, from: start)
            let exact = try error(weight, found)
            #expect(found.relativeSquaredError < last && abs(exact - found.relativeSquaredError) < 1e-5)
            (last, start) = (found.relativeSquaredError, found)
        }
        #expect(last < 0.12)
    }

    /// A tensor of rank 3 that terms of rank 2 come as near as they like, growing without bound: the norms stay bounded here.
    @Test func termsThatCancelStayBounded() throws {
        let (a, b) = (try Tensor([1, 0] as [Float], shape: [2, 1]), try Tensor([0, 1] as [Float], shape: [2, 1]))
        let one = try Tensor([1] as [Float], shape: [1, 1])
        let weight = try sum(a, a, b, one).adding(sum(a, b, a, one)).adding(sum(b, a, a, one))
        let found = try CanonicalPolyadicFit(weight).factors(rank: 2, sweepLimit: 2000)
        #expect(found.termEnergy < 300, "terms \(found.termEnergy) times as large as the weight")
        #expect(found.relativeSquaredError < 0.2)
    }

    @Test func zerosAndBadWeights() throws {
        let zero = try CanonicalPolyadicFit(.zeros([4, 3, 3, 3])).factors(rank: 2)
        #expect(zero.relativeSquaredError == 0)
        #expect(throws: DecompositionFailure.self) { try CanonicalPolyadicFit(.zeros([4, 3])) }
        #expect(throws: DecompositionFailure.self) { try CanonicalPolyadicFit(.full([4, 3, 3, 3], .nan)) }
        #expect(throws: DecompositionFailure.self) { try CanonicalPolyadicFit(.ones([4, 3, 3, 3])).factors(rank: 0) }
    }
}
