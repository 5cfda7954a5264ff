package import Graphs
import Operations
package import Tensors

/// A fused graph in two parts: a body that is run a few images at a time, each worker by itself from the first layer
/// to the last, and a rest that is run on the whole batch with all threads.
///
/// A chunk's activations stay in the worker's own cache from layer to layer, which a whole batch's do not, and workers
/// wait for each other once instead of after every layer.
package struct ProgramPartition {
    package let body: Graph
    package let rest: Graph
    /// Results of the body that the rest reads; its other results are the graph's.
    package let crossing: Set<String>
    /// Images per chunk; the last one may have fewer.
    package let chunkSize: Int
    let workerCount: Int

    /// What a chunk's largest layer may read and write: the second cache of common processors.
    private static let cacheByteCount = 1 << 20
    /// Winograd's kernels need some images before they win, and win enough to leave the cache for from 64 channels up.
    private static let winogradChunk = 4
    private static let winogradChannels = 64
    /// A layer with more weights than these, of which each serves fewer products in a chunk than those, belongs to the
    /// rest: it would spend its time reading weights, chunk after chunk.
    private static let smallWeightByteCount = 1 << 18
    private static let leastWeightUses = 512

    /// `nil` where one program for all images is better: few images, or nothing to chunk.
    package init?(_ graph: Graph, batch: Int, shapes: [String: Shape]) {
        let threads = Threads.count
        guard batch >= 2, batch >= threads else { return nil }
        let chosen = Self.chunkable(graph, batch: batch, shapes)
        guard chosen.contains(where: { graph.nodes[$0].operation is Conv2D }) else { return nil }
        let largest =
            chosen.map { index in
                let node = graph.nodes[index]
                return Set(node.valueInputs + node.outputs).reduce(0) { $0 + 4 * (shapes[$1]?.elementCount ?? 0) / batch }
            }.max() ?? 1
        let least = chosen.contains { Self.isWinograd(graph.nodes[$0], shapes) } ? Self.winogradChunk : 1
        let fitting = min(64, max(least, Self.cacheByteCount / max(1, largest)))
        chunkSize = Self.chunkSize(batch: batch, threads: threads, fitting: fitting)
        guard chunkSize < batch else { return nil }
        workerCount = min(threads, (batch + chunkSize - 1) / chunkSize)
        (body, rest, crossing) = Self.split(graph, chosen, shapes)
    }

    private static func isCheaplyRead(_ node: Node, _ graph: Graph, _ shapes: [String: Shape], batch: Int) -> Bool {
        guard case .parameter(let name) = node.inputs[1], let weight = graph.parameters[name]?.tensor,
            let output = shapes[node.name]
        else { return false }
        return weight.byteCount <= smallWeightByteCount
            || output[2] * output[3] * min(batch, winogradChunk) >= leastWeightUses
    }

    private static func isWinograd(_ node: Node, _ shapes: [String: Shape]) -> Bool {
        guard let conv = node.operation as? Conv2D, case .parameter = node.inputs[1], conv.geometry.groups == 1,
            conv.geometry.stride == [1, 1], let input = node.valueInputs.first.flatMap({ shapes[$0] }),
            let output = shapes[node.name]
        else { return false }
        return conv.geometry.padding == [1, 1, 1, 1] && min(input[1], output[1]) >= winogradChannels
    }

    /// As many images as fit, and such that all workers get equal shares where the batch allows it.
    private static func chunkSize(batch: Int, threads: Int, fitting: Int) -> Int {
        let most = min(fitting, (batch + threads - 1) / threads)
        let even = stride(from: most, to: most / 2, by: -1).first { batch % $0 == 0 && batch / $0 % threads == 0 }
        return even ?? most
    }

    /// Indices of the nodes that can run on a part of the batch by steps that allocate nothing and share nothing.
    private static func chunkable(_ graph: Graph, batch: Int, _ shapes: [String: Shape]) -> [Int] {
        var inside = Set(graph.inputs.filter { shapes[$0.name]?.rank == 4 }.map(\.name))
        return graph.nodes.indices.filter { index in
            let node = graph.nodes[index]
            let values = node.valueInputs
            guard ProgramCompiler.route(of: node, graph, shapes).isBound, !values.isEmpty, values.allSatisfy(inside.contains),
                node.outputs.allSatisfy({ shapes[$0]?.dims.first == batch })
            else { return false }
            if node.operation is Conv2D, !isCheaplyRead(node, graph, shapes, batch: batch) { return false }
            inside.formUnion(node.outputs)
            return true
        }
    }

    /// Values that cross from the body to the rest are results of the one and inputs of the other.
    private static func split(
        _ graph: Graph, _ chosen: [Int], _ shapes: [String: Shape]
    ) -> (body: Graph, rest: Graph, crossing: Set<String>) {
        let indices = Set(chosen)
        var (body, rest) = (graph, graph)
        body.nodes = chosen.map { graph.nodes[$0] }
        rest.nodes = graph.nodes.indices.filter { !indices.contains($0) }.map { graph.nodes[$0] }
        let made = Set(body.nodes.flatMap(\.outputs))
        let read = Set(rest.nodes.flatMap(\.valueInputs))
        let crossing = made.intersection(read)
        body.outputs = body.nodes.flatMap(\.outputs).filter { crossing.contains($0) || graph.outputs.contains($0) }
        rest.outputs = graph.outputs.filter { !made.contains($0) || crossing.contains($0) }
        rest.inputs = graph.inputs.filter { read.contains($0.name) || graph.outputs.contains($0.name) }
        rest.inputs += body.outputs.filter(crossing.contains).map { name in
            GraphInput(name: name, sampleShape: (shapes[name] ?? []).sample)
        }
        body.inputs = graph.inputs.filter { input in body.nodes.contains { $0.valueInputs.contains(input.name) } }
        body.dropUnusedParameters()
        rest.dropUnusedParameters()
        return (body, rest, crossing)
    }
}
