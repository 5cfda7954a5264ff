import Basics
import Decomposition
public import Graphs
import Operations
import Tensors

/// A model's layers decomposed once: every budget and policy afterwards plans on these.
public struct DecomposedModel: Sendable {
    public let graph: Graph
    public let cost: Cost
    public internal(set) var layers: [DecomposableLayer]
    /// The most bytes of activations alive at any node that no plan can change.
    let fixedActivationByteCount: Int
    /// Nanoseconds of the whole dense model; `nil` where nothing was timed.
    public internal(set) var denseLatency: Int?
    /// What was left out of what was asked for.
    let notes: [String]
    var cache = PlanningCache()

    /// Decomposes the layers of `graph` in every family that takes them; planning takes the best per layer.
    /// - Parameters:
    ///   - formats: the families that may be used.
    ///   - includesClassifier: whether the layer that makes the result may be decomposed too.
    ///   - moments: of the layers' inputs, for errors of the output in place of errors of the weight; layers that these
    ///     do not have, as grouped convolutions and those of more than 4,096 inputs, are decomposed as they are. Families that
    ///     cannot weigh errors so are left out, for their errors could not be compared.
    /// - Throws: `noLayers`, `unknownFormat`, `unknownLayer` for a pattern of `formats` that matches none; failures of the
    ///   decomposition with the layer's path.
    /// - Complexity: a few SVDs per layer and family, and with moments an eigenproblem; see the families for those that are fitted.
    public init(
        _ graph: Graph, formats: FormatChoice = .automatic, includesClassifier: Bool = false, moments: InputStatistics? = nil
    ) throws {
        let places = try LayerPlace.all(in: graph)
        guard !places.isEmpty else { throw CompressionFailure.noLayers(model: graph.name) }
        try formats.check(places.map(\.name))
        self.graph = graph
        cost = try CostModel.cost(of: graph)
        let candidates = try places.map {
            try FormatCandidates($0, in: graph, formats, includesClassifier: includesClassifier, moments)
        }
        let made = try Self.factorizations(candidates, of: graph.name)
        let live = CostModel.activationBytes(of: graph, try ShapeInference.shapes(of: graph, batch: 1))
        let (lastUses, inSeries) = (Liveness.lastUses(of: graph), Shortcuts.inSeries(of: graph))
        layers = places.indices.map { index in
            let place = places[index]
            return DecomposableLayer(
                uses: place.uses,
                chains: made[index].map { family, factorization in
                    LayerChain(
                        format: family.name, factorization,
                        activations: place.uses.map {
                            ChainActivations(
                                of: factorization, endsInLayer: family.endsInLayer, at: $0, in: graph, liveBytes: live[$0.node],
                                lastUses)
                        })
                },
                denseReason: candidates[index].denseReason, liveBytes: place.uses.map { live[$0.node] },
                isInSeries: place.uses.contains { inSeries[$0.node] })
        }
        let movable = Set(layers.filter { !$0.chains.isEmpty }.flatMap(\.uses).map(\.node))
        fixedActivationByteCount = live.indices.filter { !movable.contains($0) }.map { live[$0] }.max() ?? 0
        notes = candidates.compactMap(\.note)
    }

    /// What the factorisations keep in memory.
    package var byteCount: Int { layers.reduce(0) { $0 + $1.chains.reduce(0) { $0 + $1.factorization.byteCount } } }

    /// Why each weighted layer of `graph` stays dense, or `nil` where it can be decomposed; nothing is decomposed yet.
    public static func denseReasons(
        of graph: Graph, formats: FormatChoice = .automatic, includesClassifier: Bool = false
    ) throws -> [(layer: WeightedLayer, reason: String?)] {
        try LayerPlace.all(in: graph).flatMap { place in
            let found = try FormatCandidates(place, in: graph, formats, includesClassifier: includesClassifier, nil)
            return place.uses.map { ($0, found.denseReason) }
        }
    }

    /// Per layer its factorisations, in the order in which its families were named.
    ///
    /// A family gets many layers at once, so that they share out the threads, but not so many that a large model shows nothing
    /// for long and cannot be stopped.
    private static func factorizations(
        _ candidates: [FormatCandidates], of model: String
    ) throws -> [[(family: any FactorizationFamily, factorization: any Factorization)]] {
        var families: [(family: any FactorizationFamily, layers: [Int])] = []
        for (index, candidate) in candidates.enumerated() {
            for family in candidate.families {
                if let known = families.firstIndex(where: { $0.family.name == family.name }) {
                    families[known].layers.append(index)
                } else {
                    families.append((family, [index]))
                }
            }
        }
        let portions = families.flatMap { entry in
            Portions.of(entry.layers.map { candidates[$0].work }).map { (entry.family, Array(entry.layers[$0])) }
        }
        var made = [[String: any Factorization]](repeating: [:], count: candidates.count)
        // What is over at once needs no bar, nor a line in a log.
        var progress =
            portions.count > families.count
            ? ProgressReport("decomposing \(model)", total: families.reduce(0) { $0 + $1.layers.count }) : nil
        for (family, indices) in portions {
            try Cancellation.check()
            let found = try family.factorize(indices.compactMap { candidates[$0].layer(for: family) })
            for (index, factorization) in zip(indices, found) { made[index][family.name] = factorization }
            try progress?.advance(by: indices.count)
        }
        return zip(candidates, made).map { candidate, made in
            candidate.families.compactMap { family in made[family.name].map { (family, $0) } }
        }
    }
}

/// Work in portions of about a tenth of a second.
package enum Portions {
    /// Ranges of `work`, multiply-adds of Gram matrices, that are as long as a portion allows.
    package static func of(_ work: [Double], limit: Double = 4e9) -> [Range<Int>] {
        var (ranges, start, sum) = ([Range<Int>](), 0, 0.0)
        for (index, own) in work.enumerated() {
            if index > start, sum >= limit {
                ranges.append(start..<index)
                (start, sum) = (index, 0)
            }
            sum += own
        }
        return start < work.count ? ranges + [start..<work.count] : ranges
    }
}

extension ChainActivations {
    /// Of a chain in place of one use of a layer.
    /// - Parameter liveBytes: alive while the dense layer runs, with what it makes.
    init(
        of factorization: any Factorization, endsInLayer: Bool, at use: WeightedLayer, in graph: Graph, liveBytes: Int,
        _ lastUses: [String: Int]
    ) {
        let outputBytes = use.outputShape.elementCount * DType.float32.byteCount
        let isRead = graph.nodes[use.node].value(at: 0).map { lastUses[$0] != use.node } ?? true
        var made = factorization.activationCosts
        // A chain whose last step has no bias gets a node for that of the layer.
        if !endsInLayer, graph.nodes[use.node].inputs.count > 2 { made.append(made[made.count - 1]) }
        self.init(
            bytesBefore: liveBytes - outputBytes,
            inputBytes: isRead ? 0 : use.inputShape.elementCount * DType.float32.byteCount, made: made)
    }
}
