import Decomposition
import Tensors
import Testing

/// An error spent wholly: parameters beside the fewest that any ranks need.
@MainActor @Suite struct SpentErrorTests {
    /// Every tuple of ranks is tried, over 60 cases without structure, where no bond's spectrum says what another loses.
    @Test func ranksAreAboutTheBest() throws {
        var (got, needed, worst) = (0, 0, 0.0)
        for trial in 1...20 {
            let modes = [3 + trial % 3, 4, 5, 3]
            let tensor = try sample(Shape(modes), seed: UInt64(trial))
            let bounds = TensorTrain.maxRanks(modes: modes)
            var tried: [(parameters: Int, error: Double)] = []
            for a in 1...bounds[0] {
                for b in 1...bounds[1] {
                    for c in 1...bounds[2] {
                        let result = try TensorTrain.decompose(tensor, ranks: [a, b, c])
                        tried.append((result.train.parameterCount, result.relativeError))
                    }
                }
            }
            for epsilon in [0.2, 0.4, 0.6] {
                let result = try TensorTrain.decompose(tensor, relativeError: epsilon)
                #expect(result.relativeError <= epsilon)
                #expect(abs(try preciseDistance(result.train, tensor) - result.relativeError) < 5e-6)
                let best = try #require(tried.filter { $0.error <= epsilon }.map(\.parameters).min())
                got += result.train.parameterCount
                needed += best
                worst = max(worst, Double(result.train.parameterCount) / Double(best))
            }
        }
        #expect(Double(got) <= 1.01 * Double(needed) && worst <= 1.05, "\(got) parameters for \(needed), at worst \(worst) times")
    }

    /// Rounding a train spends its error as well, and no train of the same error comes out larger than at an equal cut.
    @Test(arguments: [[24, 9, 24], [10, 10, 10, 10], [4, 30, 4, 30], [5, 4, 6, 3, 8]] as [Shape], [0.1, 0.3])
    func leftoversAreHandedOn(_ shape: Shape, _ epsilon: Double) throws {
        let tensor = try compressibleSample(shape, terms: 30, seed: 9)
        let direct = try TensorTrain.decompose(tensor, relativeError: epsilon)
        let full = try TensorTrain.decompose(tensor, ranks: TensorTrain.maxRanks(modes: shape.dims)).train
        let rounded = try full.rounded(relativeError: epsilon)
        // An equal cut of every bond, as TT-SVD's bound has it.
        let share = epsilon * epsilon / Double(shape.rank - 1)
        let equal = try full.errorCurves().map { curve in 1 + (curve.firstIndex { $0.error * $0.error <= share } ?? curve.count - 1) }
        let parameters = try full.rounded(ranks: equal).train.parameterCount
        #expect(direct.train.parameterCount <= parameters && rounded.train.parameterCount <= parameters)
        #expect(direct.relativeError <= epsilon && rounded.relativeError <= epsilon)
        #expect(abs(Double(direct.train.parameterCount) / Double(rounded.train.parameterCount) - 1) < 0.1)
        #expect(try preciseDistance(rounded.train, tensor) <= epsilon)
    }
}
