import Graphs
import Operations
import Tensors

/// A chain of nothing but linear layers, or nothing but convolutions, multiplied out.
struct ChainProduct {
    private let links: [Node]
    private let graph: Graph
    private let weights: [Tensor]

    /// - Throws: `invalidChain` for a link without a weight.
    init(_ links: [Node], of graph: Graph) throws {
        (self.links, self.graph) = (links, graph)
        weights = try links.map { link in
            guard let name = link.parameter(at: 1), let weight = graph.parameters[name]?.tensor else {
                throw Recomposition.invalid(graph, link, "has no weight")
            }
            return weight
        }
    }

    /// The layer, without a bias, and its weight.
    /// - Throws: `invalidChain` for links that are no such chain.
    func layer() throws -> (operation: any GraphOperation, weight: Tensor) {
        var weight = weights[0]
        if links.allSatisfy({ $0.operation is Linear }) {
            for next in weights.dropFirst() { weight = try next.batchedProduct(weight) }
            return (Linear(hasBias: false), weight)
        }
        let last = links[links.count - 1]
        var convolutions = links.compactMap { $0.operation as? Conv2D }
        guard convolutions.count == links.count else { throw Recomposition.invalid(graph, last, "mixes layers") }
        var kernels = weights
        // Convolutions of different groups, as a depthwise one between full ones, meet as ones without.
        if Set(convolutions.map(\.geometry.groups)).count > 1 {
            for index in kernels.indices {
                kernels[index] = try Self.ungrouped(kernels[index], groups: convolutions[index].geometry.groups)
                convolutions[index].geometry.groups = 1
            }
        }
        var geometry = convolutions[0].geometry
        weight = kernels[0]
        for (next, convolution) in zip(kernels, convolutions).dropFirst() {
            guard let merged = geometry.followed(by: convolution.geometry, kernels: weight.shape, next.shape) else {
                throw Recomposition.invalid(graph, last, "convolves twice along one axis")
            }
            weight = try Self.product(of: weight, then: next, groups: geometry.groups)
            geometry = merged
        }
        return (Conv2D(geometry, hasBias: false), weight)
    }

    /// A weight [O, C / groups, Kh, Kw] as [O, C, Kh, Kw], with zeros between the groups.
    private static func ungrouped(_ weight: Tensor, groups: Int) throws -> Tensor {
        guard groups > 1 else { return weight }
        let (o, c) = (weight.shape[0] / groups, weight.shape[1])
        let rows = try (0..<groups).map { group -> Tensor in
            let own = try weight.sliced(dim: 0, from: group * o, to: (group + 1) * o).contiguous()
            let left = try Tensor.zeros([o, group * c, weight.shape[2], weight.shape[3]])
            let right = try Tensor.zeros([o, (groups - 1 - group) * c, weight.shape[2], weight.shape[3]])
            return try .concatenated([left, own, right].filter { $0.elementCount > 0 }, dim: 1)
        }
        return try .concatenated(rows, dim: 0)
    }

    /// W[o, c, y, x] = Σₘ B[o, m, y or 0, x or 0] · A[m, c, 0 or y, 0 or x], in every group; along each axis one of the
    /// kernels has extent 1, so that the product broadcasts over the places of both.
    private static func product(of a: Tensor, then b: Tensor, groups: Int) throws -> Tensor {
        func stacked(_ weight: Tensor) throws -> Tensor {
            let s = weight.shape
            let grouped = try weight.contiguous().reshaped([groups, s[0] / groups, s[1], s[2], s[3]])
            return try grouped.permuted([3, 4, 0, 1, 2]).contiguous()
        }
        let w = try stacked(b).batchedProduct(stacked(a))
        return try w.permuted([2, 3, 4, 0, 1]).contiguous()
            .reshaped([b.shape[0], a.shape[1], w.shape[0], w.shape[1]])
    }
}

extension ConvolutionGeometry {
    /// The geometry of one convolution that does the work of two; `nil` where both do something along one axis.
    fileprivate func followed(by next: ConvolutionGeometry, kernels own: Shape, _ other: Shape) -> ConvolutionGeometry? {
        guard groups == next.groups else { return nil }
        var merged = self
        for axis in 0..<2 {
            func isIdle(_ geometry: ConvolutionGeometry, _ kernel: Int) -> Bool {
                kernel == 1 && geometry.stride[axis] == 1 && geometry.padding[axis] == 0 && geometry.padding[axis + 2] == 0
            }
            if isIdle(next, other[2 + axis]) { continue }
            guard isIdle(self, own[2 + axis]) else { return nil }
            merged.stride[axis] = next.stride[axis]
            merged.dilation[axis] = next.dilation[axis]
            merged.padding[axis] = next.padding[axis]
            merged.padding[axis + 2] = next.padding[axis + 2]
        }
        return merged
    }
}
