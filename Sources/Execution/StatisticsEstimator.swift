import Autograd
import Basics
public import Graphs
import Operations
public import Tensors

/// Re-estimates the running statistics of batch normalisation after a model was changed.
///
/// Every batch is run in training mode and the statistics are averaged over batches with equal weight; no labels and
/// no gradients are needed.
/// - Reference: Li et al., *EagleEye: Fast Sub-net Evaluation for Efficient Neural Network Pruning*, ECCV 2020,
///   arXiv:2007.02491, §3.3 (adaptive batch normalisation).
public struct StatisticsEstimator {
    private let executor: TapeExecutor
    private let frozen: ParameterTable
    private var parameters: ParameterTable
    private var batchCount = 0

    public init(_ graph: Graph) {
        var observed = graph
        for (index, node) in graph.nodes.enumerated() {
            // Statistics are those of inference, where nothing is dropped.
            if node.operation is Dropout { observed.nodes[index].operation = Dropout(probability: 0, seed: 0) }
            // With momentum 1 the proposed statistics are those of the batch.
            guard var norm = node.operation as? BatchNorm else { continue }
            norm.momentum = 1
            observed.nodes[index].operation = norm
        }
        for name in observed.parameters.trainableNames { observed.parameters[name]?.isTrainable = false }
        executor = TapeExecutor(observed)
        frozen = observed.parameters
        parameters = graph.parameters
    }

    /// Takes the statistics of one batch [N, …] into the average.
    /// - Throws: `notFiniteStatistics` where the batch or a weight has values that are not finite.
    /// - Returns: the graph's results where the batch is normalised by its own statistics.
    @discardableResult
    public mutating func add(_ inputs: [Tensor]) throws -> [Tensor] {
        let tape = Tape()
        let result = try executor.forward(inputs, parameters: frozen, on: tape, isTraining: true)
        let names = Dictionary(uniqueKeysWithValues: result.parameters.map { ($0.value.identifier, $0.key) })
        batchCount += 1
        let weight = 1 / Double(batchCount)
        for update in tape.stateUpdates {
            guard let name = names[update.variable.identifier], let average = parameters[name]?.tensor else { continue }
            guard try update.value.withElements(of: Float.self, { $0.allSatisfy(\.isFinite) }) else {
                throw ExecutionFailure.notFiniteStatistics(parameter: name)
            }
            parameters.update(name, try average.multiplying(1 - weight).adding(update.value.multiplying(weight)))
        }
        return result.outputs.map(\.tensor)
    }

    /// The parameters with the averaged statistics; those of the graph when no batch was added.
    public var estimated: ParameterTable { parameters }
}
