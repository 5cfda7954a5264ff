import Autograd
import Compression
import Execution
import Formats
import Graphs
import LuaRuntime
import Operations
import Tensors

/// A model as scripts hold it: its graph, and what was made ready to run it.
///
/// Training and re-estimation replace the parameters; whatever was compiled or decomposed from the old ones goes.
final class ModelObject: LuaObjectConvertible {
    private(set) var graph: Graph
    var notes: JSONObject
    /// Of calls, evaluation, latencies and profiles; training is in float32.
    var precision = Precision.float32 { didSet { engine = nil } }
    private var engine: InferenceEngine?
    private var observer: (taps: [String], engine: InferenceEngine)?
    private var executor: (taps: Set<String>, executor: TapeExecutor)?
    /// The latest ones, oldest first; the whitening is kept alive because it tells them apart.
    private var decompositions: [(key: DecompositionKey, model: DecomposedModel, whitening: Whitening?)] = []
    /// Two, each with times and without: enough to compare options, and few enough that a loop over data sets does not
    /// fill the memory.
    private static let keptDecompositions = 4

    private struct DecompositionKey: Hashable {
        let formats: FormatChoice
        let includesClassifier: Bool
        /// Of the moments that whiten the weights.
        let whitening: ObjectIdentifier?
        /// Images per run of timed layers.
        let latencyBatch: Int?
    }

    init(_ graph: Graph, notes: JSONObject = [:]) {
        self.graph = graph
        self.notes = notes
    }

    /// Of parameters, nodes, names and notes, and of the factorisations that are kept for further plans.
    var byteCount: Int {
        let nodes = graph.nodes.reduce(0) { sum, node in
            let origin = (node.origin?.layer.utf8.count ?? 0) + (node.origin?.format.utf8.count ?? 0)
            return sum + Self.nodeCost + origin
                + node.inputs.reduce(node.name.utf8.count) { sum, input in
                    switch input {
                    case .value(let name), .parameter(let name): sum + name.utf8.count
                    }
                }
        }
        let names = graph.parameters.names.reduce(graph.name.utf8.count) { $0 + $1.utf8.count + Self.parameterCost }
        let kept = decompositions.reduce(0) { $0 + $1.model.byteCount }
        return graph.parameters.byteCount + nodes + names + LuaJSON.byteCount(of: .object(notes)) + kept
    }

    /// Bytes of a node without its names, and of a parameter's entry without its tensor.
    private static let (nodeCost, parameterCost) = (512, 128)

    /// Gives the model other parameter values of the same shapes.
    func setParameters(_ parameters: ParameterTable) {
        graph.parameters = parameters
        (engine, observer) = (nil, nil)
        decompositions = []
    }

    /// Makes it another network with the same inputs and outputs.
    func setGraph(_ graph: Graph) {
        self.graph = graph
        executor = nil
        setParameters(graph.parameters)
    }

    /// Results for inference, fused.
    func infer(_ inputs: [Tensor]) throws -> [Tensor] { try compiled().run(inputs) }

    /// Bytes of activations and scratch that inference of `batch` samples holds; compiles it where that was not done yet.
    func bufferByteCount(batch: Int) throws -> Int { try compiled().program(batch: batch).bufferByteCount }

    private func compiled() -> InferenceEngine {
        let engine = engine ?? InferenceEngine(graph, precision: precision)
        self.engine = engine
        return engine
    }

    /// Values inside the model for inference, by name.
    func features(_ inputs: [Tensor], taps: [String]) throws -> [String: Tensor] {
        let taps = Set(taps).sorted()
        let engine = observer?.taps == taps ? observer?.engine : nil
        let found = try engine ?? InferenceEngine(graph.computing(taps))
        observer = (taps, found)
        return Dictionary(uniqueKeysWithValues: zip(taps, try found.run(inputs)))
    }

    /// Gives batch norms with momentum 0 the usual one, and their names.
    ///
    /// Running statistics that stand still make a network that is trained on statistics of batches, and evaluated on others
    /// that never were its own. Files say so where an exporter wrote the momentum of a network that it had set to inference;
    /// nobody trains like that on purpose.
    func startStatistics() -> [String] {
        var (moving, names) = (graph, [String]())
        for (index, node) in graph.nodes.enumerated() {
            guard var norm = node.operation as? BatchNorm, norm.momentum == 0 else { continue }
            norm.momentum = BatchNorm().momentum
            moving.nodes[index].operation = norm
            names.append(node.name)
        }
        if !names.isEmpty { setGraph(moving) }
        return names
    }

    /// A forward pass on a tape; running statistics move on.
    func forward(_ images: TensorObject, taps: [String], on pass: TapeObject) throws -> (TapeObject, TapeExecutor.Result) {
        let wanted = Set(taps)
        if executor?.taps != wanted { executor = (wanted, TapeExecutor(graph, taps: wanted)) }
        guard let executor = executor?.executor else { throw GraphFailure.noOutputs(graph: graph.name) }
        try pass.expect(operations: graph.nodes.count)
        let input = try pass.enter(images, operation: "Model:forward")
        let result = try executor.forward([input], parameters: graph.parameters, on: pass.tape, isTraining: true)
        pass.remember(self, result.parameters)
        // Where nothing moved, as in a network without batch norm, what was compiled stays.
        let names = Dictionary(uniqueKeysWithValues: result.parameters.map { ($0.value.identifier, $0.key) })
        let moved = pass.tape.stateUpdates.compactMap { update in
            names[update.variable.identifier].map { (name: $0, value: update.value) }
        }
        if !moved.isEmpty {
            var parameters = graph.parameters
            for update in moved { parameters.update(update.name, update.value) }
            setParameters(parameters)
        }
        return (pass, result)
    }

    /// The layers decomposed once for these parameters.
    /// - Parameter whitening: moments that whiten the weights.
    func decomposition(
        _ formats: FormatChoice, includesClassifier: Bool, whitening: Whitening? = nil,
        latencyBatch: Int? = nil
    ) throws -> DecomposedModel {
        let key = DecompositionKey(
            formats: formats, includesClassifier: includesClassifier,
            whitening: whitening?.identity, latencyBatch: latencyBatch)
        if let index = decompositions.firstIndex(where: { $0.key == key }) {
            let found = decompositions.remove(at: index)
            decompositions.append(found)
            return found.model
        }
        let made: DecomposedModel
        if let latencyBatch {
            let meter = try LatencyMeter(batch: latencyBatch, cache: CacheDirectory.path, version: Toolkit.version)
            made = try decomposition(formats, includesClassifier: includesClassifier, whitening: whitening)
                .timed(by: meter)
            try meter.save()
        } else {
            made = try DecomposedModel(
                graph, formats: formats, includesClassifier: includesClassifier, moments: whitening?.moments(of: graph))
        }
        decompositions = decompositions.suffix(Self.keptDecompositions - 1) + [(key, made, whitening)]
        return made
    }
}
