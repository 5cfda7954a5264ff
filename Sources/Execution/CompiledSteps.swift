import Basics
import Tensors

/// A part of a program: steps over buffers of their own.
final class CompiledSteps {
    typealias Step = () throws -> Void

    /// Shapes and formats of the results.
    let outputs: [PlannedValue]
    let bufferByteCount: Int
    private let inputPorts: [Port]
    private let outputPorts: [Port]
    private let steps: [Step]
    /// Bound primitives hold bare pointers into these blocks, so they are kept alive.
    private let memory: ProgramCompiler.Memory

    init(
        outputs: [PlannedValue], bufferByteCount: Int, inputPorts: [Port], outputPorts: [Port], steps: [Step],
        memory: ProgramCompiler.Memory
    ) {
        self.outputs = outputs
        self.bufferByteCount = bufferByteCount
        self.inputPorts = inputPorts
        self.outputPorts = outputPorts
        self.steps = steps
        self.memory = memory
    }

    /// Reads plain inputs at `sources` (those that were not given at planning) and leaves the results at `targets`.
    /// - Throws: `Interrupted`, failures of the kernels.
    func run(from sources: [UnsafeMutableRawPointer], to targets: [UnsafeMutableRawPointer]) throws {
        for (port, source) in zip(inputPorts, sources) { port.open(at: source) }
        for (port, target) in zip(outputPorts, targets) { port.open(at: target) }
        for step in steps {
            try Cancellation.check()
            try step()
        }
    }
}
