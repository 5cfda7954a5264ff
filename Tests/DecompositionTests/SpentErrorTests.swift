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

    /// With two bonds and few elements the ranks are the very best; with a limit on ranks they are about the best.
    @Test func twoBondsGetTheBestRanks() throws {
        var (limitedParameters, limitedBest) = (0, 0)
        for trial in 1...30 {
            let modes = [2 + trial % 5, 2 + trial % 4, 3 + trial % 3]
            let tensor = try sample(Shape(modes), seed: UInt64(100 + trial))
            let bounds = TensorTrain.maxRanks(modes: modes)
            var tried: [(ranks: [Int], parameters: Int, error: Double)] = []
            for a in 1...bounds[0] {
                for b in 1...bounds[1] {
                    let result = try TensorTrain.decompose(tensor, ranks: [a, b])
                    tried.append((result.train.ranks, result.train.parameterCount, result.relativeError))
                }
            }
            for epsilon in [0.15, 0.3, 0.45, 0.6, 0.8] {
                let best = try #require(tried.filter { $0.error <= epsilon * (1 - 1e-6) }.map(\.parameters).min())
                let result = try TensorTrain.decompose(tensor, relativeError: epsilon)
                #expect(result.train.parameterCount <= best && result.relativeError <= epsilon, "\(modes), \(epsilon)")
                let limited = tried.filter { $0.error <= epsilon * (1 - 1e-6) && $0.ranks.allSatisfy { $0 <= 3 } }
                guard let best = limited.map(\.parameters).min() else { continue }
                let within = try TensorTrain.decompose(tensor, relativeError: epsilon, maxRank: 3).train
                #expect(within.ranks.allSatisfy { $0 <= 3 }, "\(modes), \(epsilon)")
                limitedParameters += within.parameterCount
                limitedBest += best
            }
        }
        // The limit itself takes something away first, in the order of the bonds.
        #expect(Double(limitedParameters) <= 1.01 * Double(limitedBest), "\(limitedParameters) for \(limitedBest)")
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
