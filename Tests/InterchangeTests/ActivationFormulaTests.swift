import Basics
import Execution
import Graphs
import Interchange
import ONNXMessages
import Operations
import Tensors
import Testing

/// Activation functions that a file writes out as formulas.
@Suite(.serialized) struct ActivationFormulaTests {
    struct Written: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let operation: any GraphOperation
        /// Operator, inputs and output of each node; numbers stand for constants.
        let nodes: [(String, [String], String)]
    }

    static let root2 = "1.4142135", rootOfHalf = "0.70710677"
    static let written: [Written] = [
        Written(
            testDescription: "as both exporters of PyTorch write GELU", operation: GELU(),
            nodes: [
                ("Div", ["x", root2], "a"), ("Erf", ["a"], "b"), ("Add", ["b", "1"], "c"), ("Mul", ["x", "c"], "d"), ("Mul", ["d", "0.5"], "y"),
            ]),
        Written(
            testDescription: "GELU with the half first", operation: GELU(),
            nodes: [
                ("Mul", ["x", rootOfHalf], "a"), ("Erf", ["a"], "b"), ("Add", ["1", "b"], "c"), ("Mul", ["0.5", "x"], "d"), ("Mul", ["c", "d"], "y"),
            ]),
        Written(
            testDescription: "GELU with the half inside the sum", operation: GELU(),
            nodes: [
                ("Mul", ["x", rootOfHalf], "a"), ("Erf", ["a"], "b"), ("Mul", ["b", "0.5"], "c"), ("Add", ["c", "0.5"], "d"), ("Mul", ["d", "x"], "y"),
            ]),
        Written(
            testDescription: "GELU by tanh, with a power", operation: GELU(isApproximate: true),
            nodes: [
                ("Pow", ["x", "3"], "a"), ("Mul", ["a", "0.044715"], "b"), ("Add", ["x", "b"], "c"), ("Mul", ["c", "0.7978846"], "d"),
                ("Tanh", ["d"], "e"), ("Add", ["e", "1"], "f"), ("Mul", ["x", "0.5"], "g"), ("Mul", ["g", "f"], "y"),
            ]),
        Written(
            testDescription: "GELU by tanh, factored", operation: GELU(isApproximate: true),
            nodes: [
                ("Mul", ["x", "x"], "a"), ("Mul", ["a", "0.044715"], "b"), ("Add", ["b", "1"], "c"), ("Mul", ["x", "0.7978846"], "d"),
                ("Mul", ["c", "d"], "e"), ("Tanh", ["e"], "f"), ("Add", ["f", "1"], "g"), ("Mul", ["g", "x"], "h"), ("Mul", ["h", "0.5"], "y"),
            ]),
        Written(testDescription: "swish", operation: SiLU(), nodes: [("Sigmoid", ["x"], "a"), ("Mul", ["a", "x"], "y")]),
        Written(
            testDescription: "hard swish of older opsets", operation: HardSwish(),
            nodes: [
                ("Add", ["x", "3"], "a"), ("Clip", ["a", "0", "6"], "b"), ("Mul", ["x", "b"], "c"), ("Div", ["c", "6"], "y"),
            ]),
        Written(
            testDescription: "Mish of opsets before its operator", operation: Mish(),
            nodes: [
                ("Softplus", ["x"], "a"), ("Tanh", ["a"], "b"), ("Mul", ["x", "b"], "y"),
            ]),
    ]

    private func graph(_ nodes: [(String, [String], String)]) throws -> Graph {
        let numbers = Set(nodes.flatMap(\.1)).filter { Float($0) != nil }.sorted()
        let model = try ONNXSamples.model(
            nodes.map { ONNXSamples.node($0.0, $0.1, [$0.2]) },
            weights: numbers.map { ($0, try Tensor([Float($0) ?? 0], shape: [])) })
        return try ONNXFile.read(bytes: ONNXCoding.encode(model), source: "formula").graph
    }

    @Test(arguments: written) func becomeOneOperation(_ written: Written) throws {
        let graph = try graph(written.nodes)
        #expect(graph.nodes.count == 1 && graph.nodes.first?.operation.attributes == written.operation.attributes, "\(graph.nodes.map(\.operation.name))")
        #expect(graph.parameters.names.isEmpty)
        var random = RandomSource(seed: 3)
        let x = try Tensor.normal([2, 3, 8, 8], using: &random)
        let expected = try written.operation.evaluate([x], .inference).outputs[0]
        #expect(try difference(InferenceEngine(graph).run([x])[0], expected) < 1e-5)
    }

    /// Operators with attributes missing stand for what ONNX says they mean then.
    @Test(arguments: [
        ("Elu", ELU(alpha: 1) as any GraphOperation), ("Mish", Mish()), ("Softplus", Softplus()), ("LeakyRelu", LeakyReLU(slope: 0.01)),
        ("HardSigmoid", HardSigmoid(alpha: 0.2, beta: 0.5)), ("Gelu", GELU()), ("Exp", Exponential()), ("Abs", Abs()),
    ])
    func operatorsAreReadWithTheirDefaults(_ name: String, _ operation: any GraphOperation) throws {
        #expect(try graph([(name, ["x"], "y")]).nodes.map(\.operation.attributes) == [operation.attributes])
    }

    /// What only resembles one is computed as it is written.
    @Test func otherFormulasStay() throws {
        let other = try graph([
            ("Div", ["x", Self.root2], "a"), ("Erf", ["a"], "b"), ("Add", ["b", "1"], "c"), ("Mul", ["x", "c"], "d"), ("Mul", ["d", "0.6"], "y"),
        ])
        #expect(!other.nodes.contains { $0.operation is GELU } && other.nodes.contains { $0.operation is ErrorFunction })
        let squared = try graph([("Mul", ["x", "x"], "a"), ("Sigmoid", ["x"], "b"), ("Mul", ["a", "b"], "y")])
        #expect(squared.nodes.count == 3)
        let half = try graph([("Softplus", ["x"], "a"), ("Sigmoid", ["a"], "b"), ("Mul", ["x", "b"], "y")])
        #expect(half.nodes.map(\.operation.name) == ["softplus", "sigmoid", "multiply"])
    }

    /// The argument may be a sum itself, and what lies between may be wanted by others.
    @Test func partsMayBeReadElsewhere() throws {
        let graph = try graph([
            ("Relu", ["x"], "r"), ("Add", ["x", "r"], "s"), ("Sigmoid", ["s"], "a"), ("Mul", ["s", "a"], "b"), ("Mul", ["b", "a"], "y"),
        ])
        #expect(graph.nodes.map(\.operation.name) == ["relu", "add", "sigmoid", "swish", "multiply"])
    }
}
