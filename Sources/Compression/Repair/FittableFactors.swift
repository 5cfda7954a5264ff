import Graphs
import Operations
import Tensors

/// The end of a chain: the factors that least squares can fit to a result that is known.
///
/// That is the last one, a convolution or a linear layer. Where it maps each position by itself, the one before it can be
/// fitted together with it: both make one matrix over the patches, of which only the rank is bound.
struct FittableFactors {
    /// Im2col with more elements are not fitted: their moments alone would take seconds a layer.
    static let widestPatch = 2048
    /// The least number of positions per patch element at which the second-last factor is fitted as well.
    static let positionsPerElement = 8

    /// Index of the factor before the last one, where that is fitted too.
    let first: Int?
    let last: Int

    /// The first factor that is fitted: what goes into it stays as it is.
    var head: Int { first ?? last }

    /// - Parameter positions: how many positions of the layer's result there are in all images.
    init?(endingAt index: Int, of graph: Graph, positions: Int) {
        let node = graph.nodes[index]
        guard let origin = node.origin, origin.position == origin.count - 1, Self.isFittable(node), node.value(at: 0) != nil,
            let width = Self.patchWidth(node, graph), width <= Self.widestPatch
        else { return nil }
        last = index
        first = Self.isPointwise(node, graph) ? Self.partner(of: index, in: graph, positions: positions) : nil
    }

    /// The factor that only `index` reads, where there are positions enough to fit both.
    private static func partner(of index: Int, in graph: Graph, positions: Int) -> Int? {
        guard let value = graph.nodes[index].value(at: 0), let before = graph.index(ofNode: value),
            graph.nodes[before].origin?.layer == graph.nodes[index].origin?.layer,
            isFittable(graph.nodes[before]), graph.nodes[before].inputs.count == 2, graph.nodes[before].value(at: 0) != nil,
            graph.nodes.count(where: { $0.valueInputs.contains(value) }) == 1, !graph.outputs.contains(value),
            let width = patchWidth(graph.nodes[before], graph), width <= widestPatch,
            positions >= positionsPerElement * width
        else { return nil }
        return before
    }

    private static func isFittable(_ node: Node) -> Bool {
        guard let conv = node.operation as? Conv2D else { return node.operation is Linear }
        return conv.geometry.groups == 1 && !conv.addsResidual && !conv.hasReLU
    }

    private static func isPointwise(_ node: Node, _ graph: Graph) -> Bool {
        guard let conv = node.operation as? Conv2D else { return true }
        return conv.geometry == ConvolutionGeometry() && weight(of: node, graph)?.shape.dims[2...].allSatisfy { $0 == 1 } == true
    }

    /// Elements of the input that one position of the result is made of: I, or C · Kh · Kw.
    private static func patchWidth(_ node: Node, _ graph: Graph) -> Int? {
        weight(of: node, graph)?.shape.dims.dropFirst().reduce(1, *)
    }

    private static func weight(of node: Node, _ graph: Graph) -> Tensor? {
        node.parameter(at: 1).flatMap { graph.parameters[$0]?.tensor }
    }
}
