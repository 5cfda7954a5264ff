import Basics
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct VerifierTests {
    typealias Change = @Sendable (inout Graph) throws -> Void

    static let failures: [(code: String, says: String, change: Change)] = [
        ("graph.duplicateName", "'a'", { $0.nodes[1].name = "a" }),
        ("graph.duplicateName", "'images'", { $0.nodes[0].name = "images" }),
        ("graph.duplicateName", "'images'", { $0.inputs.append(GraphInput(name: "images", sampleShape: [1])) }),
        ("graph.unknownValue", "input 'nowhere' is made by no earlier node", { $0.nodes[0].inputs = [.value("nowhere")] }),
        ("graph.unknownValue", "'c'", { $0.nodes[0].inputs = [.value("c")] }),  // a cycle
        ("graph.unknownValue", "'a'", { $0.nodes[0].inputs = [.value("a")] }),  // of one node
        ("graph.unknownValue", "'b'", { $0.nodes.swapAt(1, 2) }),  // the wrong order
        ("graph.unknownParameter", "'weight'", { $0.nodes[1].inputs = [.parameter("weight")] }),
        ("graph.noOutputs", "diamond", { $0.outputs = [] }),
        ("graph.unknownOutput", "'d'", { $0.outputs = ["c", "d"] }),
        ("graph.unknownOutput", "'a:1'", { $0.outputs = ["a:1"] }),
        ("graph.outputCount", "declares 2 output(s), but its operation makes 1", { $0.nodes[2].outputCount = 2 }),
        (
            "graph.outputCount", "declares 0",
            {
                $0.nodes[2].outputCount = 0; $0.outputs = ["a"]
            }
        ),
        ("graph.valueShape", "[1, 2, 0, 4]", { $0.inputs = [GraphInput(name: "images", sampleShape: [2, 0, 4])] }),
        ("graph.valueShape", "[1, -2]", { $0.inputs = [GraphInput(name: "images", sampleShape: [-2])] }),
        ("graph.valueShape", "absurdly large", { $0.inputs = [GraphInput(name: "images", sampleShape: [.max, .max, 2])] }),
        (
            "graph.valueShape", "empty",
            {
                $0.nodes[1].operation = Slice(dimension: 2, from: 2, to: 2); $0.outputs = ["a"]
            }
        ),
        ("operation.inputCount", "diamond › c", { $0.nodes[2].inputs.removeLast() }),
        ("tensor.shapeMismatch", "diamond › c", { $0.nodes[1].operation = Slice(dimension: 2, to: 3) }),
    ]

    @Test(arguments: failures.indices) func illegalGraphsAreRefused(_ index: Int) throws {
        let (code, says, change) = Self.failures[index]
        var graph = GraphSamples.diamond()
        try Verifier.verify(graph)
        try change(&graph)
        do {
            try Verifier.verify(graph)
            Issue.record("accepted a graph with \(code)")
        } catch {
            #expect((error as? any Failure)?.code == code, "\(error)")
            #expect("\(error)".contains(says), "\(error)")
        }
    }

    @Test func severalOutputsAndInputsAreLegal() throws {
        var graph = GraphSamples.diamond()
        graph.outputs = ["c", "a", "images"]
        try Verifier.verify(graph)
        #expect(try ShapeInference.shapes(of: graph, batch: 7)["a"] == [7, 2, 4, 4])
        #expect(throws: GraphFailure.self) { try ShapeInference.shapes(of: graph, batch: 0) }
        #expect(throws: GraphFailure.self) { try ShapeInference.shapes(of: graph, batch: .min) }
    }
}
