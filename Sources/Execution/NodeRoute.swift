import Graphs
import Operations
import Tensors

/// How a node becomes steps of a program: the one place that decides it.
enum NodeRoute {
    case convolution(Conv2D)
    case pooling(Pool2D)
    case adaptivePooling
    case subsample(SubsamplePad)
    case sum(Add)
    case batchNorm(BatchNorm)
    case concatenation
    case channelSlice(Slice)
    case flatten
    case function(ActivationFunction)
    case gate((input: String, gate: String))
    case channelVector((input: String, vector: String))
    case linear(Linear)
    /// As on a tape.
    case evaluation
    /// The operation says that the compiler has steps for it, but there are none.
    case unknown

    /// Whether it becomes steps on planned memory alone, which may run beside others on another thread.
    var isBound: Bool {
        switch self {
        case .convolution, .pooling, .adaptivePooling, .subsample, .sum, .batchNorm, .concatenation, .channelSlice, .flatten,
            .function, .gate, .channelVector:
            true
        case .linear, .evaluation, .unknown: false
        }
    }

    /// Whether the steps of `node` may read an input of the program where the caller has it: a primitive that reads it once.
    func readsPort(_ input: String, _ node: Node) -> Bool {
        guard node.valueInputs.filter({ $0 == input }).count == 1 else { return false }
        return switch self {
        case .convolution: node.inputs[0] == .value(input)
        case .pooling, .adaptivePooling, .subsample: true
        case .sum, .batchNorm, .concatenation, .channelSlice, .flatten, .function, .gate, .channelVector, .linear, .evaluation,
            .unknown:
            false
        }
    }
}

extension ProgramCompiler {
    static func route(of node: Node, _ graph: Graph, _ shapes: [String: Shape]) -> NodeRoute {
        if let found = channelVector(of: node, graph, shapes) { return .channelVector(found) }
        guard isUsual(node) else { return .evaluation }
        return switch type(of: node.operation).traits.inference {
        case .evaluation: .evaluation
        case .elementFunction: kernel(of: node).map(NodeRoute.function) ?? .evaluation
        case .steps: steps(of: node, shapes)
        }
    }

    /// Operations that have steps take the general way where their shapes do not suit those.
    private static func steps(of node: Node, _ shapes: [String: Shape]) -> NodeRoute {
        switch node.operation {
        case let conv as Conv2D: .convolution(conv)
        case let linear as Linear: .linear(linear)
        case let pool as Pool2D: .pooling(pool)
        case is AdaptiveAveragePool2D, is GlobalAveragePool2D: .adaptivePooling
        case let shortcut as SubsamplePad: .subsample(shortcut)
        case is Flatten: .flatten
        case let norm as BatchNorm: norm.addsResidual || shapes[node.name]?.rank != 4 ? .evaluation : .batchNorm(norm)
        case is Multiply: gate(of: node, shapes).map(NodeRoute.gate) ?? .evaluation
        case let concatenation as Concatenate: movesBlocks(concatenation, node, shapes) ? .concatenation : .evaluation
        case let slice as Slice: movesBlocks(slice, node, shapes) ? .channelSlice(slice) : .evaluation
        // Sums of one shape run over the stored elements; broadcasting ones take the general way.
        case let add as Add: shapes[node.valueInputs[0]] == shapes[node.valueInputs[1]] ? .sum(add) : .evaluation
        default: .unknown
        }
    }
}
