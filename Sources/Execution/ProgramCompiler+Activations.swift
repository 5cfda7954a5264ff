import COneDNN
import Graphs
import Operations
import Tensors

extension ActivationFunction {
    /// The function that an operation applies to every element, where oneDNN has it.
    init?(_ operation: any GraphOperation) {
        switch operation {
        case is ReLU: self = .rectifier()
        case let leaky as LeakyReLU: self = .rectifier(slope: Float(leaky.slope))
        case let clip as Clip: self = .clip(low: Float(clip.low), high: Float(clip.high))
        case let scale as Scale: self = .line(slope: Float(scale.factor), offset: 0)
        case is Sigmoid: self = .sigmoid
        case let hard as HardSigmoid: self = .hardSigmoid(slope: Float(hard.alpha), offset: Float(hard.beta))
        case is Tanh: self = .tanh
        case is SiLU: self = .swish
        case is HardSwish: self = .hardSwish
        case let gelu as GELU: self = gelu.isApproximate ? .geluByTanh : .gelu
        default: return nil
        }
    }
}

/// Functions of one element: behind a convolution where that is read by nothing else, over the stored elements otherwise.
extension ProgramCompiler {
    /// By the position of a convolution, that of the function which its kernel applies to its result.
    static func activations(of graph: Graph) -> [Int: Int] {
        let consumers = Liveness.consumers(of: graph)
        var found: [Int: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            guard let conv = node.operation as? Conv2D, !conv.hasReLU, isUsual(node), !graph.outputs.contains(node.name),
                let readers = consumers[node.name], readers.count == 1, let reader = readers.first,
                graph.nodes[reader].inputs == [.value(node.name)], ActivationFunction(graph.nodes[reader].operation) != nil
            else { continue }
            found[index] = reader
        }
        return found
    }

    /// In whatever format the input lies, in place where nothing else reads it.
    mutating func planActivation(_ node: Node, _ function: ActivationFunction, at index: Int) throws {
        let input = try valueName(node.inputs[0], of: node)
        var source = try planned(input)
        let target = (dies(input, at: index) ? define(node.name, inPlaceOf: input) : nil) ?? define(node.name, source.format)
        let shape = source.shape.rank == 4 ? source.shape : [1, 1, 1, source.shape.elementCount]
        for stage in function.stages {
            emitPrimitive(try stage.primitive(shape, source.format), [(cod_src, source), (cod_dst, target)])
            source = target
        }
    }
}
