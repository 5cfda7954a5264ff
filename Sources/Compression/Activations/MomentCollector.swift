import Basics
import Graphs
import Operations
import Tensors

/// Sums the moments up, in double, while batches pass.
struct MomentCollector {
    private struct Layer {
        let name: String
        /// What goes into it.
        let input: String
        let patches: Im2col
    }

    /// What is to be computed of each batch, in this order; the images themselves are no part of it.
    let values: [String]
    private let layers: [Layer]
    private let imageNames: Set<String>
    private var sums: [String: ColumnMoments] = [:]
    /// How many more images are taken.
    private var imagesLeft: Int

    /// Whether no more images are taken.
    var isFull: Bool { imagesLeft <= 0 }

    func moments() throws -> InputStatistics { InputStatistics(sums: try sums.mapValues { try $0.totals().gram.tensor() }) }

    /// - Parameter imageLimit: only the first `imageLimit` images are used.
    init(_ graph: Graph, imageLimit: Int) throws {
        layers = try WeightedLayers.layers(of: graph).compactMap { layer in
            let node = graph.nodes[layer.node]
            let conv = node.operation as? Conv2D
            guard conv.map({ $0.geometry.groups == 1 }) ?? (node.operation is Linear), let input = node.value(at: 0),
                layer.weightShape[1] <= InputStatistics.mostInputs
            else { return nil }
            let isWide = layer.weightShape.dims.dropFirst().reduce(1, *) > InputStatistics.widestPatch
            let patches =
                conv != nil && isWide
                ? Im2col(channels: layer.weightShape[1]) : Im2col(node, weight: layer.weightShape)
            return Layer(name: layer.name, input: input, patches: patches)
        }
        imageNames = Set(graph.inputs.map(\.name))
        values = Set(layers.map(\.input)).subtracting(imageNames).sorted()
        imagesLeft = imageLimit
    }

    /// - Parameter computed: `values` of the batch.
    mutating func add(_ computed: [Tensor], images: Tensor) throws {
        let count = min(imagesLeft, images.shape[0])
        guard count > 0 else { return }
        var known = Dictionary(uniqueKeysWithValues: zip(values, computed))
        for name in imageNames { known[name] = images }
        for layer in layers {
            guard let value = known[layer.input] else { continue }
            let own = try sums[layer.name] ?? ColumnMoments(width: layer.patches.width)
            sums[layer.name] = own
            try layer.patches.forEachPart(of: value.sliced(dim: 0, from: 0, to: count)) { columns, _ in try own.add(columns) }
        }
        imagesLeft -= count
    }
}
