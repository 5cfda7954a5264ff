import Tensors

/// Names for the nodes of the graph, as people know the layers: from the weight's name in the file where it tells
/// (`layer1.0.conv1.weight`), or the bias's (an exporter may have turned the weight), else from the node's
/// (`/layer1/layer1.0/conv1/Conv`).
extension ONNXNode {
    func layerName(weight: ONNXConstant?) -> String {
        if isLinkOfChain { return title }
        if let name = weight?.name, weight?.isInitializer == true, name.hasSuffix(".weight"), name.count > 7 {
            return String(name.dropLast(7))
        }
        if let biasLayer { return biasLayer }
        let path = path
        return path.count > 1 && path.last?.hasPrefix(operatorName) == true
            ? path.dropLast().joined(separator: ".") : path.joined(separator: ".")
    }

    var plainName: String {
        let joined = path.joined(separator: ".")
        return joined.isEmpty ? "node" : joined
    }

    /// The parts of the node's name, without what later parts repeat.
    private var path: [String] {
        var path: [String] = []
        for part in title.split(separator: "/").map(String.init) {
            if let last = path.last, part.hasPrefix(last + ".") { path.removeLast() }
            path.append(part)
        }
        return path
    }
}
