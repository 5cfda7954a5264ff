import CommandTesting
import Testing

/// Everything that scripts can call, called with hostile values: an error in words, never a trap, never a hang.
@Suite(.serialized) struct HostileCallTests {
    /// A million calls: every listed value in every place once, and combinations drawn by seed beyond. `scripts/fuzz`
    /// makes ten million.
    @Test func noneEndsTheProcessOrStaysAway() throws {
        let outcome = try BuiltCommand.run(
            [Repository.root + "/Tests/HostileCalls", "--seed", "1", "--count", "1000000"],
            program: try BuiltCommand.path("HostileCalls"), patienceSeconds: 3600)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("1000000 calls of seed 1, 0 ended their process"), "\(outcome.output)")
        // Hostile values are among valid ones: a good part of the calls get through.
        let codes = outcome.output.split(whereSeparator: { " ,;\n".contains($0) })
        let returned = codes.firstIndex(of: "none").flatMap { Int(codes[$0 + 1]) }
        #expect((returned ?? 0) > 100_000, "\(outcome.output)")
    }
}
