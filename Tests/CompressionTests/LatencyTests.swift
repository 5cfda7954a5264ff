import Basics
import Compression
import Decomposition
import Graphs
import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite(.serialized) struct LatencyTests {
    private static let shared = Result { try DecomposedModel(CompressionSamples.resNet()) }
    let model: DecomposedModel

    init() throws { model = try Self.shared.get() }

    @Test func budgetsOfLatencyAreMet() throws {
        let timed = try model.timed(by: LatencyMeter(batch: 2, cache: nil, version: "test"))
        let dense = try #require(timed.denseLatency)
        #expect(dense > 0 && model.denseLatency == nil)
        for planner in CompressionSamples.planners(timed, scores: CompressionSamples.scores(of: timed)) {
            for keep in [0.9, 1] {
                let budget = try Budget([(.latency, keep), (.parameters, 0.9)], dense: timed.cost, denseLatency: dense)
                // What is achievable depends on the machine; what is said of it must hold.
                do {
                    let plan = try planner.plan(timed, budget: budget)
                    #expect(try #require(plan.latency) <= budget.limits[0].value && plan.denseLatency == dense)
                } catch let failure as CompressionFailure {
                    #expect(failure.code == "compression.unreachable" || failure.code == "compression.invalidBudget")
                }
            }
        }
    }

    /// Times of an earlier run are taken from the file: here they were all made 7 nanoseconds there.
    @Test func timesAreRemembered() throws {
        var random = SystemRandomNumberGenerator()
        let directory = "/tmp/moonrail-latency-\(UInt32.random(in: 0 ... .max, using: &random))/cache"
        let meter = try LatencyMeter(batch: 1, cache: directory, version: "test")
        let first = try #require(model.timed(by: meter).layers[1].denseLatency)
        #expect(first > 7)
        try meter.save()
        let file = try #require(DirectoryListing.entries(of: directory).first { !$0.isDirectory }?.name)
        let lines = String(decoding: try AtomicFile.read(directory + "/" + file), as: UTF8.self).split(separator: "\n")
        let shorter = lines.map { "7\t\($0.split(separator: "\t")[1])\n" }
        try AtomicFile.write(directory + "/" + file, text: (shorter + ["no time\n", "12"]).joined())
        let again = try model.timed(by: LatencyMeter(batch: 1, cache: directory, version: "test"))
        #expect(again.layers[1].denseLatency == 7 && file.contains("threads-test"))
        unlink(directory + "/" + file)
        rmdir(directory)
    }

    @Test func latencyNeedsTimes() throws {
        let failure = #expect(throws: CompressionFailure.self) { try CompressionSamples.budget(.latency, 0.5, model) }
        #expect(failure?.code == "compression.invalidBudget")
        let budget = try Budget([(.latency, 250), (.parameters, 0.5)], dense: model.cost, denseLatency: 1_000_000)
        #expect(budget.limits[0].value == 250_000)
        #expect(throws: CompressionFailure.self) { try LatencyMeter(batch: 0, cache: nil, version: "test") }
    }
}
