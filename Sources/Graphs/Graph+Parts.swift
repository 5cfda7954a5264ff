public import Tensors

/// Parts of a graph that are graphs themselves.
extension Graph {
    /// The part that makes `values`, with these as its results.
    /// - Throws: `unknownOutput` for a value that does not exist.
    public func computing(_ values: [String]) throws -> Graph {
        var wanted = Set(values)
        var kept: [Node] = []
        for node in nodes.reversed() where node.outputs.contains(where: wanted.contains) {
            kept.append(node)
            wanted.formUnion(node.valueInputs)
        }
        let made = Set(kept.flatMap(\.outputs) + inputs.map(\.name))
        if let missing = values.first(where: { !made.contains($0) }) {
            throw GraphFailure.unknownOutput(graph: name, value: missing)
        }
        var result = self
        result.nodes = kept.reversed()
        result.outputs = values
        result.dropUnusedParameters()
        return result
    }

    /// The part that makes `values` where some values are known already: these become inputs in place of what made them.
    /// - Parameter known: the shapes of one sample of the known values, which may be inputs of the graph.
    /// - Throws: `unknownOutput` for a value that does not exist.
    public func computing(_ values: [String], from known: [String: Shape]) throws -> Graph {
        var cut = self
        cut.nodes.removeAll { node in node.outputs.allSatisfy { known[$0] != nil } }
        cut.inputs = known.keys.sorted().map { GraphInput(name: $0, sampleShape: known[$0] ?? []) }
        var part = try cut.computing(values)
        let read = Set(part.nodes.flatMap(\.valueInputs) + values)
        part.inputs.removeAll { !read.contains($0.name) }
        return part
    }
}
