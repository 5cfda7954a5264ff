/// Which nodes everything passes through.
public enum Shortcuts {
    /// Whether each node lies on every path from the inputs to the results, in order. A node that does not is passed by: a
    /// shortcut or another branch leads around it, so that what comes out does not depend on it alone.
    ///
    /// Nodes stand in the order of execution, so that a path around a node has a step from a value made before it to a node
    /// behind it.
    /// - Complexity: O(nodes + values read).
    public static func inSeries(of graph: Graph) -> [Bool] {
        // What depends on an input, and what a result depends on; other values are no part of a path.
        var depends = Set(graph.inputs.map(\.name))
        for node in graph.nodes where node.valueInputs.contains(where: depends.contains) { depends.formUnion(node.outputs) }
        var matters = Set(graph.outputs)
        for node in graph.nodes.reversed() where node.outputs.contains(where: matters.contains) { matters.formUnion(node.valueInputs) }

        var makers = Dictionary(graph.inputs.map { ($0.name, -1) }, uniquingKeysWith: { $1 })
        // By index, how many more steps lead over the nodes from there on.
        var openings = [Int](repeating: 0, count: graph.nodes.count + 2)
        for (index, node) in graph.nodes.enumerated() {
            for value in node.outputs { makers[value] = index }
            guard node.outputs.contains(where: matters.contains) else { continue }
            for value in Set(node.valueInputs).intersection(depends) {
                guard let maker = makers[value], maker + 1 < index else { continue }
                openings[maker + 1] += 1
                openings[index] -= 1
            }
        }
        // A result that is made before the last node leads out past all that follow.
        for output in Set(graph.outputs).intersection(depends) {
            guard let maker = makers[output] else { continue }
            openings[maker + 1] += 1
            openings[graph.nodes.count] -= 1
        }
        var over = 0
        return graph.nodes.enumerated().map { index, node in
            over += openings[index]
            return over == 0 && node.outputs.contains { depends.contains($0) && matters.contains($0) }
        }
    }
}
