public import Autograd
import Basics
public import Graphs
import Operations
public import Tensors

/// Runs a graph operation by operation on a tape, for training and for reading what no fused kernel shows.
public struct TapeExecutor: Sendable {
    private let graph: Graph
    private let taps: Set<String>
    private let lastUses: [String: Int]

    /// - Parameter taps: values to be kept and given back beside the results.
    public init(_ graph: Graph, taps: Set<String> = []) {
        self.graph = Fusion.forTraining(graph, keeping: taps)
        self.taps = taps
        lastUses = Liveness.lastUses(of: self.graph)
    }

    /// What a forward pass gives.
    public struct Result {
        public let outputs: [Variable]
        public let taps: [String: Variable]
        /// The entered parameters by name, to look gradients up with.
        public let parameters: [String: Variable]
    }

    /// Runs forward on `tape`.
    /// - Parameters:
    ///   - inputs: one tensor [N, …] per graph input.
    ///   - parameters: the current values; those of the graph serve only as the structure.
    ///   - isTraining: whether batches are normalised by their own statistics, and dropout drops.
    ///   - recordsGradients: whether the trainable parameters get gradients; unless given, where it is training.
    /// - Throws: `ExecutionFailure` for inputs that do not fit, `Interrupted`, failures of the operations with their path.
    public func forward(
        _ inputs: [Tensor], parameters: ParameterTable, on tape: Tape, isTraining: Bool, recordsGradients: Bool? = nil
    ) throws -> Result {
        try forward(
            inputs.map { tape.variable($0) }, parameters: parameters, on: tape, isTraining: isTraining,
            recordsGradients: recordsGradients)
    }

    /// The same for inputs that are on `tape` already, so that gradients reach what they were computed from.
    public func forward(
        _ inputs: [Variable], parameters: ParameterTable, on tape: Tape, isTraining: Bool, recordsGradients: Bool? = nil
    ) throws -> Result {
        let differentiates = recordsGradients ?? isTraining
        try InputCheck.check(inputs.map(\.tensor), graph)
        var values: [String: Variable] = [:]
        var tapped: [String: Variable] = [:]
        var entered: [String: Variable] = [:]
        for (input, variable) in zip(graph.inputs, inputs) { values[input.name] = variable }
        for (index, node) in graph.nodes.enumerated() {
            try Cancellation.check()
            let arguments = try node.inputs.map { source -> Variable in
                switch source {
                case .value(let name):
                    guard let value = values[name] else {
                        throw GraphFailure.unknownValue(graph: graph.name, node: node.name, value: name)
                    }
                    return value
                case .parameter(let name):
                    if let variable = entered[name] { return variable }
                    guard let parameter = parameters[name] else {
                        throw GraphFailure.unknownParameter(graph: graph.name, node: node.name, parameter: name)
                    }
                    let variable = tape.variable(
                        parameter.tensor, requiresGradient: differentiates && parameter.isTrainable)
                    entered[name] = variable
                    return variable
                }
            }
            let outputs = try located("\(graph.name) › \(node.name) › \(node.operation.name)") {
                try tape.apply(node.operation, arguments, isTraining: isTraining)
            }
            for (name, output) in zip(node.outputs, outputs) {
                values[name] = output
                if taps.contains(name) { tapped[name] = output }
            }
            for name in node.valueInputs where lastUses[name] == index { values[name] = nil }
        }
        return Result(outputs: graph.outputs.compactMap { values[$0] }, taps: tapped, parameters: entered)
    }
}

/// Whether inputs fit a graph.
enum InputCheck {
    static func check(_ inputs: [Tensor], _ graph: Graph) throws {
        guard inputs.count == graph.inputs.count else {
            throw ExecutionFailure.inputCount(graph: graph.name, expected: graph.inputs.count, got: inputs.count)
        }
        for (tensor, input) in zip(inputs, graph.inputs) {
            guard Array(tensor.shape.dims.dropFirst()) == input.sampleShape.dims, tensor.rank >= 1, tensor.shape[0] >= 1
            else {
                throw ExecutionFailure.inputShape(
                    graph: graph.name, input: input.name, expected: input.sampleShape, got: tensor.shape)
            }
            guard tensor.shape[0] == inputs[0].shape[0] else {
                throw ExecutionFailure.batch(
                    graph: graph.name, input: input.name, expected: inputs[0].shape[0], got: tensor.shape[0])
            }
            guard tensor.dtype == .float32 else {
                throw ExecutionFailure.inputType(graph: graph.name, input: input.name, got: tensor.dtype)
            }
        }
    }
}
