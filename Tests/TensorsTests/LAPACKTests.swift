import Tensors
import Testing

/// The seam to LAPACK: sizes in 32 bits, scratch, and what its answers mean.
@MainActor @Suite struct LAPACKTests {
    @Test func sizesBeyond32BitsAreRefused() throws {
        #expect(try LAPACK.integer(1 << 31 - 1, "svd") == Int32.max)
        expectFailure("tensor.invalidArgument", "svd: LAPACK takes sizes up to 2147483647, but got 2147483648") {
            _ = try LAPACK.integer(1 << 31, "svd")
        }
        expectFailure("tensor.invalidArgument", "eigen: LAPACK takes") { _ = try LAPACK.scratchLength(query: Float(1), least: 1 << 31, "eigen") }
    }

    /// The answer to a query is a float32, which has 24 bits: 1 + 6n + 2n² is odd and rounded from n = 2,895 on.
    @Test(arguments: [1, 100, 2894, 2895, 3072, 4096, 4608, 5793, 9000, 32000]) func roundedAnswersAreEnough(_ n: Int) throws {
        let least = 1 + 6 * n + 2 * n * n
        #expect(try Int(LAPACK.scratchLength(query: Float(least), least: 1, "eigen")) >= least)
        #expect(try Int(LAPACK.scratchLength(query: Float(1), least: least, "eigen")) == least)
        #expect(try Int(LAPACK.scratchLength(query: Double(least), least: 1, "eigen")) == least)
    }

    @Test func answersBeyond32BitsBecomeTheMost() throws {
        #expect(try LAPACK.scratchLength(query: Float(1e12), least: 10, "eigen") == Int32.max)
    }

    @Test func refusalsAreNotFailuresToConverge() throws {
        try LAPACK.check(0, "eigen", [3, 3])
        expectFailure("tensor.invalidArgument", "eigen: LAPACK refuses its argument 8 for a matrix [3, 3]") { try LAPACK.check(-8, "eigen", [3, 3]) }
        expectFailure("tensor.noConvergence", "eigen: LAPACK did not converge on [3, 3] (info 2)") { try LAPACK.check(2, "eigen", [3, 3]) }
    }

    @Test func eigenproblemsOfEveryOrder() throws {
        let n = 2895
        let diagonal = try Tensor.identity(n).multiplying(Tensor((0..<n).map { Float($0 % 7 + 1) }))
        let (values, vectors) = try diagonal.symmetricEigen()
        #expect(values == (0..<n).map { Float($0 % 7 + 1) }.sorted())
        #expect(vectors.shape == [n, n])
    }

    /// Scratch is the ledger's: a limit that the factors fit into, but not what LAPACK needs besides, refuses.
    @Test func scratchCounts() throws {
        let a = try sample([1500, 1500])
        let symmetric = try a.adding(a.transposed())
        let limit = MemoryLedger.limit
        defer { MemoryLedger.limit = limit }
        // The copy takes 9 MB and the scratch 18.
        MemoryLedger.limit = MemoryLedger.liveByteCount + 20 << 20
        expectFailure("tensor.outOfMemory", "out of memory") { _ = try symmetric.symmetricEigen() }
        expectFailure("tensor.outOfMemory", "out of memory") { _ = try symmetric.singularValueDecomposition() }
        expectFailure("tensor.outOfMemory", "out of memory") { _ = try symmetric.solving(.ones([1500])) }
    }
}
