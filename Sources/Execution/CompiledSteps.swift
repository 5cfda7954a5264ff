import Basics
import Tensors

/// A part of a program: steps over buffers of their own.
final class CompiledSteps {
    typealias Step = () throws -> Void

    /// The node a step works for, and what does the work.
    struct Label {
        let node: String
        let implementation: String
        /// Whether the step computes nothing of its own, but copies a value between formats or looks at one.
        let isAuxiliary: Bool
    }

    /// Shapes and formats of the results.
    let outputs: [PlannedValue]
    let bufferByteCount: Int
    private let inputPorts: [Port]
    private let outputPorts: [Port]
    private let steps: [(label: Label, run: Step)]
    /// Bound primitives hold bare pointers into these blocks, so they are kept alive.
    private let memory: ProgramCompiler.Memory

    init(
        outputs: [PlannedValue], bufferByteCount: Int, inputPorts: [Port], outputPorts: [Port],
        steps: [(label: Label, run: Step)],
        memory: ProgramCompiler.Memory
    ) {
        self.outputs = outputs
        self.bufferByteCount = bufferByteCount
        self.inputPorts = inputPorts
        self.outputPorts = outputPorts
        self.steps = steps
        self.memory = memory
    }

    var labels: [Label] { steps.map(\.label) }

    /// Reads plain inputs at `sources` (those that were not given at planning) and leaves the results at `targets`.
    /// - Throws: `Interrupted`, failures of the kernels.
    func run(from sources: [UnsafeMutableRawPointer], to targets: [UnsafeMutableRawPointer]) throws {
        open(sources, targets)
        for step in steps {
            try Cancellation.check()
            try step.run()
        }
    }

    /// As `run`, with the milliseconds of every step.
    func runTimed(from sources: [UnsafeMutableRawPointer], to targets: [UnsafeMutableRawPointer]) throws -> [Double] {
        open(sources, targets)
        return try steps.map { step in
            try Cancellation.check()
            return try ContinuousClock().measure { try step.run() } / .milliseconds(1)
        }
    }

    private func open(_ sources: [UnsafeMutableRawPointer], _ targets: [UnsafeMutableRawPointer]) {
        for (port, source) in zip(inputPorts, sources) { port.open(at: source) }
        for (port, target) in zip(outputPorts, targets) { port.open(at: target) }
    }
}
