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
    private static let shared = Result { try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains) }
    let model: DecomposedModel

    init() throws { model = try Self.shared.get() }

    @Test func budgetsOfLatencyAreMet() throws {
        let timed = try model.timed(by: LatencyMeter(batch: 2, cache: nil, version: "test"))
        let dense = try #require(timed.denseLatency)
        #expect(dense > 0 && model.denseLatency == nil)
        for planner in CompressionSamples.planners(timed, scores: CompressionSamples.scores(of: timed)) {
            func plan(_ nanoseconds: Int) throws -> Plan {
                let limits: [(Budget.Quantity, Double)] = [(.latency, Double(nanoseconds)), (.parameters, 0.9)]
                let budget = try Budget(limits, dense: timed.cost, denseLatency: dense)
                let plan = try planner.plan(timed, budget: budget)
                #expect(try #require(plan.latency) <= nanoseconds && plan.denseLatency == dense)
                return plan
            }
            // Wide enough on every machine; then exactly what that plan takes; then less than any machine takes.
            let loose = try plan(100 * dense)
            let reached = try #require(loose.latency)
            _ = try plan(reached)
            let failure = #expect(throws: CompressionFailure.self, "\(planner.policy)") { try plan(2_000) }
            guard case .unreachable(_, _, let smallest, _, _, _)? = failure else {
                Issue.record("\(planner.policy): \(failure as Any)")
                continue
            }
            #expect(smallest > 2_000 && smallest <= reached, "\(planner.policy)")
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
        let budget = try Budget([(.latency, 250_000), (.parameters, 0.5)], dense: model.cost, denseLatency: 1_000_000)
        #expect(budget.limits[0].value == 250_000)
        #expect(throws: CompressionFailure.self) { try LatencyMeter(batch: 0, cache: nil, version: "test") }
    }
}
