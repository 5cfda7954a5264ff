import Decomposition
import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Values, and norms of trains, near the ends of float32's range and beyond them.
@MainActor @Suite struct TrainScaleTests {
    private func expect(_ value: Double, near right: Double, _ note: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(abs(value / right - 1) < 1e-5, note, sourceLocation: sourceLocation)
    }

    @Test(arguments: [1e-38, 1e-30, 1e-20, 1, 1e19, 1e37, 3e37, 1e38]) func tensors(_ v: Double) throws {
        let x = try Tensor.full([4, 5, 6], v)
        let note: Comment = "\(v)"
        let train = try TensorTrain.decompose(x, ranks: [1, 1]).train
        expect(try train.reconstructed().largest(), near: v, note)
        expect(try train.norm(), near: v * 120.0.squareRoot(), note)
        expect(try train.innerProduct(train), near: v * v * 120, note)
        expect(try train.element(at: [1, 2, 3]), near: v, note)
        for other in [
            try train.rounded(ranks: [1, 1]).train, try train.rounded(relativeError: 1e-3).train, try train.balanced(),
            try train.scaled(by: 0.5).adding(train.scaled(by: 0.5)).rounded(ranks: [1, 1]).train,
            try TensorTrain.decompose(x, relativeError: 1e-3).train, try TensorTrain.decompose(x, keeping: 1).train,
        ] {
            let made = try other.reconstructed()
            expect(try made.largest(), near: v, note)
            expect(try made.smallest(), near: v, note)
        }
        let values = try TensorTrain.decompose(x, ranks: [2, 2]).bondSpectra.map { $0.values[0] } + train.bondSpectra().map { $0[0] }
        for value in values { expect(value, near: v * 120.0.squareRoot(), note) }
        #expect(try TensorTrain.decompose(x, relativeError: 0.1).relativeError < 1e-5)
        #expect(try train.errorCurves().allSatisfy { $0.allSatisfy { $0.error < 1e-5 } })
        if v * v > 1e-37, v * v < 3e38 {
            expect(try train.multiplyingElements(by: train).reconstructed().largest(), near: v * v, note)
        }
    }

    @Test(arguments: [(0.1, 4.1408e-93), (10, 4.1408e307)]) func longTrains(_ scale: Double, _ right: Double) throws {
        let train = try TensorTrain(
            cores: (0..<200).map { k in
                try .full([k == 0 ? 1 : 2, 3, k == 199 ? 1 : 2], scale)
            })
        for (name, value) in [
            ("norm", try train.norm()), ("rounded", try train.rounded(ranks: train.ranks.map { _ in 1 }).train.norm()),
            ("balanced", try train.balanced().norm()), ("twice, halved", try train.adding(train).norm() / 2),
            ("value", try train.bondSpectra()[100][0]), ("rounded to an error", try train.rounded(relativeError: 1e-3).train.norm()),
        ] {
            #expect(abs(value / right - 1) < 1e-3, "cores of \(scale): \(name) \(value)")
        }
        let rounded = try train.rounded(relativeError: 1e-4).train
        #expect(rounded.ranks.allSatisfy { $0 == 1 })
        let index = [Int](repeating: 1, count: 200)
        #expect(abs(try rounded.element(at: index) / train.element(at: index) - 1) < 1e-3)
    }

    /// One core's scale may be taken back by another's.
    @Test func coresOfOppositeScales() throws {
        let factors = [1e35, 1e-35, 1e30, 1e-28, 1e-2]
        let train = try TensorTrain(
            cores: factors.enumerated().map { k, factor in
                try sample([k == 0 ? 1 : 3, 4, k == 4 ? 1 : 3], seed: UInt64(k)).multiplying(factor)
            })
        let plain = try TensorTrain(cores: factors.indices.map { try sample([$0 == 0 ? 1 : 3, 4, $0 == 4 ? 1 : 3], seed: UInt64($0)) })
        let expected = try plain.reconstructed()
        for other in [train, try train.balanced(), try train.rounded(ranks: train.ranks).train, try train.orthogonalized(at: 2)] {
            #expect(try relativeDistance(other.reconstructed(), expected) < exactness)
        }
        let balanced = try train.balanced(sweeps: 30)
        let norms = try balanced.cores.map { try $0.norm() }
        #expect(norms.max()! / norms.min()! < 10)
        let square = try train.multiplyingElements(by: train).reconstructed()
        #expect(try relativeDistance(square, expected.multiplying(expected)) < exactness)
    }

    @Test func whatFloat32CannotHoldIsNamed() throws {
        let huge = try TensorTrain(cores: [.full([1, 3, 2], 1e38), .full([2, 3, 1], 1e38)])
        #expect(try abs(huge.norm() / (2e76 * 3) - 1) < 1e-5)
        func code(_ body: () throws -> Void) -> String? { #expect(throws: DecompositionFailure.self) { try body() }?.code }
        #expect(code { _ = try huge.reconstructed() } == "decomposition.outOfRange")
        #expect(code { _ = try huge.orthogonalized(at: 0) } == "decomposition.outOfRange")
        #expect(code { _ = try huge.scaled(by: 1e300) } == "decomposition.outOfRange")
        let small = try TensorTrain(cores: [.full([1, 3, 2], 1e-38), .full([2, 3, 1], 1e-38)])
        #expect(code { _ = try small.reconstructed() } == "decomposition.outOfRange")
        let single = try TensorTrain(cores: [.full([1, 3, 1], 3e38)])
        #expect(code { _ = try single.adding(single) } == "decomposition.outOfRange")
        let bad = try TensorTrain(cores: [.full([1, 3, 1], .nan)])
        #expect(code { _ = try bad.norm() } == "decomposition.notFinite")
    }
}
