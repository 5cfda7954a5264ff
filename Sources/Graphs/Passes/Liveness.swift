/// When values are read for the last time.
public enum Liveness {
    /// The index of the last node that reads each value (its maker, when nothing does); results live to the end.
    public static func lastUses(of graph: Graph) -> [String: Int] {
        var last: [String: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            for value in node.outputs + node.valueInputs { last[value] = index }
        }
        for output in graph.outputs { last[output] = graph.nodes.count }
        return last
    }

    /// The indices of the nodes that read each value.
    public static func consumers(of graph: Graph) -> [String: [Int]] {
        var consumers: [String: [Int]] = [:]
        for (index, node) in graph.nodes.enumerated() {
            for value in Set(node.valueInputs) { consumers[value, default: []].append(index) }
        }
        return consumers
    }
}
