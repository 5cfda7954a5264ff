import Execution
public import Graphs
import Operations
public import Tensors

/// The second moments of what goes into each layer, G = E[x xᵀ] over its input channels, as G^{1/2} and its inverse.
///
/// A weight times G^{1/2} has singular values that are errors of the layer's output instead of its weight, and so
/// has its train; G^{−1/2} on the first core of the train undoes the product. Neighbouring positions under the kernel
/// count as uncorrelated, which leaves one small matrix per layer for every grouping.
/// - Reference: Wang et al., *SVD-LLM: Truncation-aware Singular Value Decomposition*, 2024, arXiv:2403.07378; with an
///   eigendecomposition in place of Cholesky's, so that moments without full rank do not fail.
public struct InputMoments: Sendable {
    struct Root: Sendable {
        /// [C, C], symmetric.
        let root: Tensor
        let inverse: Tensor
    }

    let roots: [String: Root]

    /// From calibration images, in one inference pass. `LWIQScorer.collectsMoments` takes them from the pass of the scores.
    /// - Throws: `noImages`; failures of execution.
    public init(_ graph: Graph, images: [Tensor]) throws {
        guard !images.isEmpty else { throw CompressionFailure.noImages(part: "calibration") }
        var collector = try MomentCollector(graph)
        let engine = collector.values.isEmpty ? nil : InferenceEngine(try graph.computing(collector.values))
        for batch in images { try collector.add(engine?.run([batch]) ?? [], images: batch) }
        self = try collector.moments()
    }

    init(roots: [String: Root]) { self.roots = roots }

    /// Σ_c′ w[a, c′, …] m[c′, c] for a weight [A, C, …].
    static func mixed(_ weight: Tensor, by matrix: Tensor) throws -> Tensor {
        guard weight.rank == 4 else { return try weight.matrixProduct(matrix) }
        let (a, c, h, w) = (weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3])
        let rows = try weight.permuted([0, 2, 3, 1]).contiguous().reshaped([a * h * w, c])
        return try rows.matrixProduct(matrix).reshaped([a, h, w, c]).permuted([0, 3, 1, 2]).contiguous()
    }
}

/// Sums the moments up while batches pass.
struct MomentCollector {
    /// What is to be computed of each batch, in this order; the images themselves are no part of it.
    let values: [String]
    /// The layers whose moments are wanted, and what goes into each.
    private let inputs: [(layer: String, value: String)]
    private let imageNames: Set<String>
    private var sums: [String: Tensor] = [:]

    init(_ graph: Graph) throws {
        let layers = try WeightedLayers.layers(of: graph).filter { layer in
            let node = graph.nodes[layer.node]
            let isPlain = (node.operation as? Conv2D).map { $0.geometry.groups == 1 } ?? (layer.inputShape.rank == 2)
            return isPlain && node.valueInputs.first != nil
        }
        inputs = layers.map { ($0.name, graph.nodes[$0.node].valueInputs[0]) }
        imageNames = Set(graph.inputs.map(\.name))
        values = Set(inputs.map(\.value)).subtracting(imageNames).sorted()
    }

    /// - Parameter computed: `values` of the batch.
    mutating func add(_ computed: [Tensor], images: Tensor) throws {
        var known = Dictionary(uniqueKeysWithValues: zip(values, computed))
        for name in imageNames { known[name] = images }
        for name in Set(inputs.map(\.value)) {
            guard let value = known[name] else { continue }
            let gram = try Self.gram(value)
            sums[name] = try sums[name]?.adding(gram) ?? gram
        }
    }

    func moments() throws -> InputMoments {
        var roots: [String: InputMoments.Root] = [:]
        for (layer, value) in inputs {
            if let sum = sums[value], let root = try Self.root(sum) { roots[layer] = root }
        }
        return InputMoments(roots: roots)
    }

    /// Σ x xᵀ over images and positions.
    private static func gram(_ value: Tensor) throws -> Tensor {
        let order = [1, 0] + Array(2..<max(2, value.rank))
        let columns = try value.permuted(order).contiguous().reshaped([value.shape[1], -1])
        return try columns.matrixProduct(columns.transposed())
    }

    /// The root by eigenvalues, without those that are rounding beside the largest; `nil` where all are 0.
    private static func root(_ gram: Tensor) throws -> InputMoments.Root? {
        let scale = try gram.norm()
        guard scale > 0, scale.isFinite else { return nil }
        let (values, vectors) = try gram.multiplying(1 / scale).symmetricEigen()
        let largest = values.last ?? 0
        // 1e-10 is the rule in exact arithmetic; eigenvalues in single precision are noise from n · 2⁻²⁴ down.
        let least = largest * max(1e-10, Float(values.count) * 0x1p-24)
        func scaled(_ power: (Float) -> Float) throws -> Tensor {
            let factors = values.map { $0 > least ? power($0) : 0 }
            return try vectors.multiplying(Tensor(factors)).matrixProduct(vectors.transposed())
        }
        return InputMoments.Root(root: try scaled { $0.squareRoot() }, inverse: try scaled { 1 / $0.squareRoot() })
    }
}
