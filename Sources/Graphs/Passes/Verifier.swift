/// What a legal graph is; run on everything that is built, loaded or rewritten.
public enum Verifier {
    /// - Throws: `GraphFailure` for a name given twice, an input made by no earlier node (so also a cycle), a missing
    ///   parameter, no or unknown outputs; failures of the operations for shapes that do not fit.
    /// - Complexity: O(nodes + edges).
    public static func verify(_ graph: Graph) throws {
        var known = Set<String>()
        for input in graph.inputs where !known.insert(input.name).inserted {
            throw GraphFailure.duplicateName(graph: graph.name, name: input.name)
        }
        for node in graph.nodes {
            for value in node.valueInputs where !known.contains(value) {
                throw GraphFailure.unknownValue(graph: graph.name, node: node.name, value: value)
            }
            for parameter in node.parameterInputs where graph.parameters[parameter] == nil {
                throw GraphFailure.unknownParameter(graph: graph.name, node: node.name, parameter: parameter)
            }
            for output in node.outputs where !known.insert(output).inserted {
                throw GraphFailure.duplicateName(graph: graph.name, name: output)
            }
        }
        guard !graph.outputs.isEmpty else { throw GraphFailure.noOutputs(graph: graph.name) }
        for output in graph.outputs where !known.contains(output) {
            throw GraphFailure.unknownOutput(graph: graph.name, value: output)
        }
        _ = try ShapeInference.shapes(of: graph, batch: 1)
    }
}
