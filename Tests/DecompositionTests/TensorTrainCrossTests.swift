import Basics
import Decomposition
import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Trains of tensors that are known by their elements.
@MainActor @Suite struct TensorTrainCrossTests {
    /// Functions of indices from 0, with the ranks that their tensors have, or none where the error decides.
    nonisolated static let functions: [(name: String, ranks: [Int]?, value: @Sendable ([Int]) -> Double)] = [
        ("sum", [2, 2, 2], { Double($0.reduce(0, +)) }),
        ("product", [1, 1, 1], { $0.reduce(1.0) { $0 * (Double($1) + 0.5) } }),
        ("sine of the sum", [2, 2, 2], { sin(0.3 * Double($0.reduce(0, +)) + 0.1) }),
        ("constant", [1, 1, 1], { _ in -2.5 }),
        ("inverse of the sum", nil, { 1 / Double($0.reduce(1, +)) }),
        ("norm", nil, { $0.reduce(1.0) { $0 + Double($1 * $1) }.squareRoot() }),
    ]

    nonisolated static let modes = [7, 9, 6, 8]

    private func cross(
        _ modes: [Int], error: Double, maxRank: Int = 64, seed: UInt64 = 1, _ value: ([Int]) -> Double
    ) throws -> CrossTrain {
        try TensorTrain.cross(modes: modes, relativeError: error, maxRank: maxRank, seed: seed) { indices, count in
            (0..<count).map { Float(value(Array(indices[$0 * modes.count..<($0 + 1) * modes.count]))) }
        }
    }

    /// All elements by brute force.
    private func tensor(_ modes: [Int], _ value: ([Int]) -> Double) throws -> Tensor {
        var indices = [[Int]]([[]])
        for n in modes { indices = indices.flatMap { start in (0..<n).map { start + [$0] } } }
        return try Tensor(indices.map { Float(value($0)) }, shape: Shape(modes))
    }

    @Test(arguments: functions.indices, [UInt64(1), 2, 3]) func everyElementIsNear(_ index: Int, seed: UInt64) throws {
        let function = Self.functions[index]
        let found = try cross(Self.modes, error: 1e-4, seed: seed, function.value)
        let exact = try tensor(Self.modes, function.value)
        let error = try found.train.reconstructed().subtracting(exact).norm() / exact.norm()
        // Elements that were not drawn may be worse than those that were.
        #expect(found.sampledError <= 1e-4 && error <= 3e-4, "\(function.name): \(error)")
        if let ranks = function.ranks { #expect(found.train.ranks == ranks, "\(function.name)") }
    }

    /// 10²⁰ elements, of which a few ten thousand are looked at.
    @Test func largeTensorsAreNeverFormed() throws {
        let modes = [Int](repeating: 10, count: 20)
        let found = try cross(modes, error: 1e-4) { cos(0.05 * Double($0.reduce(0, +))) }
        #expect(found.train.ranks == [Int](repeating: 2, count: 19) && found.sampledError <= 1e-4)
        #expect(found.evaluationCount < 100_000)
    }

    @Test func ranksStayWithinTheirBound() throws {
        let found = try cross(Self.modes, error: 1e-6, maxRank: 2) { 1 / Double($0.reduce(1, +)) }
        #expect(found.train.ranks.allSatisfy { $0 <= 2 } && found.sampledError > 1e-6 && found.sampledError < 0.3)
    }

    @Test func smallAndEmptyTensors() throws {
        let line = try cross([5], error: 0.1) { Double($0[0]) }
        #expect(try line.train.reconstructed().array(of: Float.self) == [0, 1, 2, 3, 4])
        #expect(try cross([1, 1, 1], error: 0.1) { _ in 3 }.train.element(at: [0, 0, 0]) == 3)
        let zero = try cross([4, 5, 6], error: 1e-3) { _ in 0 }
        #expect(try zero.train.norm() == 0 && zero.sampledError == 0)
    }

    /// float32 holds whole numbers up to 2²⁴ only; indices are not to collide there.
    @Test func modesBeyondFloat32() throws {
        let n = 16_777_218
        let found = try cross([n], error: 0.1) { Double($0[0] % 7) }
        for i in [0, 16_777_214, 16_777_215, 16_777_216, 16_777_217] { #expect(try found.train.element(at: [i]) == Double(i % 7)) }
    }

    @Test(arguments: [1e-37, 1e37]) func scalesAreNoMatter(_ scale: Double) throws {
        let found = try cross(Self.modes, error: 1e-4) { scale / Double($0.reduce(1, +)) }
        #expect(found.sampledError <= 1e-4)
        #expect(abs(try found.train.element(at: [1, 2, 3, 4]) / scale * 11 - 1) < 1e-3)
    }

    /// What is asked for stands in the ledger's memory, a bounded part of the indices at a time.
    @Test func blocksCount() throws {
        let limit = MemoryLedger.limit
        defer { MemoryLedger.limit = limit }
        MemoryLedger.limit = MemoryLedger.liveByteCount + 64 << 20
        var most = 0
        #expect(throws: TensorFailure.self) {
            try TensorTrain.cross(modes: [6000, 6000], relativeError: 0.1) { indices, count in
                most = max(most, indices.count)
                return [Float](repeating: 1, count: count)
            }
        }
        #expect(most <= 1 << 18)
        let small = try TensorTrain.cross(modes: [1000, 2000], relativeError: 0.1) { indices, count in
            most = max(most, indices.count)
            return [Float](repeating: 1, count: count)
        }
        #expect(small.train.ranks == [1] && most <= 1 << 18 && most > 1 << 16)
    }

    @Test func mistakesAreNamed() {
        func code(_ body: () throws -> CrossTrain) -> String? { #expect(throws: DecompositionFailure.self) { try body() }?.code }
        #expect(code { try cross([], error: 0.1) { _ in 1 } } == "decomposition.shapeMismatch")
        #expect(code { try cross([3, 0], error: 0.1) { _ in 1 } } == "decomposition.shapeMismatch")
        #expect(code { try cross([3, 4], error: 1) { _ in 1 } } == "decomposition.invalidError")
        #expect(code { try cross([3, 4], error: .nan) { _ in 1 } } == "decomposition.invalidError")
        #expect(code { try cross([3, 4], error: 0.1) { _ in .nan } } == "decomposition.notFinite")
        #expect(code { try cross([Int](repeating: 2, count: 1025), error: 0.1) { _ in 1 } } == "decomposition.shapeMismatch")
        #expect(code { try cross([1 << 27], error: 0.1) { _ in 1 } } == "decomposition.shapeMismatch")
        #expect(code { try cross([1 << 20, 1 << 20], error: 0.1) { _ in 1 } } == "decomposition.shapeMismatch")
        #expect(code { try TensorTrain.cross(modes: [3, 4], relativeError: 0.1) { _, _ in [1] } } == "decomposition.shapeMismatch")
    }
}
