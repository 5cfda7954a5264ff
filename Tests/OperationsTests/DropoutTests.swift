import Operations
import Tensors
import Testing

@Suite(.serialized) struct DropoutTests {
    private func pass(_ operation: Dropout, count: Double, size: Int = 10_000) throws -> Evaluation {
        try operation.evaluate([.ones([size]), .full([1], count)], .training)
    }

    @Test(arguments: [0.1, 0.5, 0.9]) func dropsItsShareAndKeepsTheMean(probability: Double) throws {
        let y = try pass(Dropout(probability: probability, seed: 4), count: 0).outputs[0].array(of: Float.self)
        let kept = y.filter { $0 != 0 }
        #expect(kept.allSatisfy { abs(Double($0) - 1 / (1 - probability)) < 1e-5 })
        // Binomial with 10,000 draws: five standard deviations are at most 0.025.
        #expect(abs(Double(kept.count) / 10_000 - (1 - probability)) < 0.025)
    }

    @Test func everyPassHasAMaskOfItsOwn() throws {
        let operation = Dropout(probability: 0.5, seed: 4)
        let masks = try (0..<3).map { try pass(operation, count: Double($0)).outputs[0].array(of: Float.self) }
        #expect(masks[0] != masks[1] && masks[1] != masks[2])
        #expect(try pass(operation, count: 1).outputs[0].array(of: Float.self) == masks[1], "and the same again when resumed")
        #expect(try pass(Dropout(probability: 0.5, seed: 5), count: 0).outputs[0].array(of: Float.self) != masks[0])
    }

    @Test func passesAreCounted() throws {
        let updates = try pass(Dropout(probability: 0.5, seed: 4), count: 7).stateUpdates
        #expect(updates.map(\.input) == [1])
        #expect(try updates[0].value.array(of: Float.self) == [8])
        let wrapped = try pass(Dropout(probability: 0.5, seed: 4), count: 16_777_215, size: 4).stateUpdates
        #expect(try wrapped[0].value.array(of: Float.self) == [0])
    }

    /// A count from a file may be anything.
    @Test(arguments: [-3.0, 1e30, .infinity, .nan]) func strangeCountsAreHarmless(count: Double) throws {
        #expect(try pass(Dropout(probability: 0.5, seed: 4), count: count, size: 8).outputs[0].shape == [8])
    }

    @Test func inferenceChangesNothing() throws {
        let x = try Samples.normal([3, 4], seed: 1)
        let evaluation = try Dropout(probability: 0.9, seed: 1).evaluate([x, .zeros([1])], .inference)
        #expect(try relativeDifference(evaluation.outputs[0], x) == 0 && evaluation.stateUpdates.isEmpty)
    }

    /// Large enough for all threads: their number does not show, and neighbours do not resemble each other.
    @Test func masksDoNotDependOnTheThreads() throws {
        let all = Threads.count
        defer { Threads.count = all }
        let operation = Dropout(probability: 0.5, seed: 9)
        let masks = try [1, 2, 3].map { count in
            Threads.count = count
            return try pass(operation, count: 3, size: 300_001).outputs[0].array(of: Float.self)
        }
        #expect(masks[0] == masks[1] && masks[0] == masks[2])
        let alike = zip(masks[0], masks[0].dropFirst()).count { $0 == $1 }
        // Binomial with 300,000 draws: five standard deviations are 0.0046.
        #expect(abs(Double(alike) / 300_000 - 0.5) < 0.005)
    }

    /// The mask is tensor memory, and under its limit.
    @Test func masksAreInTheLedger() throws {
        let x = try Tensor.ones([1 << 20])
        let before = MemoryLedger.liveByteCount
        let evaluation = try Dropout(probability: 0.5, seed: 1).evaluate([x, .zeros([1])], .training)
        #expect(MemoryLedger.liveByteCount - before >= 8 << 20, "the result and the mask that its gradient needs")
        withExtendedLifetime(evaluation) {}
    }
}
