import CommandTesting
import Testing

/// Several interpreters, contexts and threads at the same time give the digits that each gives alone.
@Suite(.serialized) struct ConcurrencyTests {
    @Test(arguments: [(2, 1), (4, 1), (2, 2), (3, 0)]) func digitsAreThoseOfOneAfterTheOther(_ workers: Int, _ kernels: Int) throws {
        let outcome = try BuiltCommand.run(
            ["--workers", "\(workers)", "--kernels", "\(kernels)", "--steps", "25"], environment: ["GOMP_SPINCOUNT": "20000"],
            program: try BuiltCommand.path("ConcurrencyProgram"), patienceSeconds: 240)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.split(separator: "\n").count == 3 && !outcome.output.contains("OTHER"), "\(outcome.output)")
    }
}
