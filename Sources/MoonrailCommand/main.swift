import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors

Threads.count = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1])! : 2
let graph = try CIFARResNet(depth: 20, imageShape: [3, 32, 32]).build(seed: 1)

var random = RandomSource(seed: 1)
let x = try Tensor.normal([128, 3, 32, 32], using: &random)
let y = try Tensor((0..<128).map { Int64($0 % 10) })
let executor = TapeExecutor(graph)
let clock = ContinuousClock()
for _ in 0..<8 {
    let time = try clock.measure {
        let tape = Tape()
        let r = try executor.forward([x], parameters: graph.parameters, on: tape, isTraining: true)
        let loss = try tape.apply(CrossEntropy(), [r.outputs[0], tape.variable(y)])
        _ = try tape.gradients(of: loss[0])
    }
    print("step", time)
}
for b in [1, 128] {
    let xb = try x.sliced(dim: 0, from: 0, to: b)
    let p = try InferenceProgram(graph, batch: b)
    var best = [Duration]()
    for _ in 0..<(b == 1 ? 300 : 10) { best.append(try clock.measure { _ = try p.run([xb]) }) }
    best.sort()
    print("infer", b, best[best.count / 2], p.bufferByteCount)
}
