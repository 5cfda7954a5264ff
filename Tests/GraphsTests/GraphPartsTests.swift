import Graphs
import Operations
import Testing

@Suite struct GraphPartsTests {
    @Test func onlyWhatIsNeededRemains() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let part = try graph.computing(["relu1", "bn1"])
        try Verifier.verify(part)
        #expect(part.nodes.map(\.name) == ["conv1", "bn1", "relu1"] && part.outputs == ["relu1", "bn1"])
        #expect(part.parameters.names.allSatisfy { $0.hasPrefix("conv1") || $0.hasPrefix("bn1") })
        #expect(try graph.computing(graph.outputs).nodes.count == graph.nodes.count)
    }

    @Test func unknownValuesAreNamed() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let failure = #expect(throws: GraphFailure.self) { try graph.computing(["relu1", "nowhere"]) }
        #expect(failure?.code == "graph.unknownOutput" && failure?.description.contains("nowhere") == true)
    }
}
