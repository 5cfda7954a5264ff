import Graphs
import Operations
import Tensors
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

    @Test func whatIsKnownBecomesAnInput() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let first = try #require(graph.nodes.first { $0.name == "stage1.block1.conv1" })
        let known = try #require(first.valueInputs.first)
        let shapes = [known: Shape([16, 32, 32]), "stage3.block1.relu2": Shape([64, 8, 8])]
        let part = try graph.computing(["stage1.block1.bn2"], from: shapes)
        try Verifier.verify(part)
        #expect(part.inputs == [GraphInput(name: known, sampleShape: [16, 32, 32])])
        #expect(part.nodes.first?.name == "stage1.block1.conv1" && !part.parameters.names.contains { $0.hasPrefix("conv1") })
        #expect(try graph.computing([known], from: shapes).nodes.isEmpty)
    }

    @Test func unknownValuesAreNamed() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let failure = #expect(throws: GraphFailure.self) { try graph.computing(["relu1", "nowhere"]) }
        #expect(failure?.code == "graph.unknownOutput" && failure?.description.contains("nowhere") == true)
    }
}
