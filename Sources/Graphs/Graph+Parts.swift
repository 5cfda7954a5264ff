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
        result.parameters.keep(only: Set(kept.flatMap(\.parameterInputs)))
        return result
    }
}
