import Operations
package import Tensors

/// Inputs of a node by position: a graph may give a value where a parameter is usual, and a parameter where a value is.
extension Node {
    /// The parameter at input `index`; `nil` where there is no such input or a node gives it.
    public func parameter(at index: Int) -> String? {
        guard inputs.indices.contains(index), case .parameter(let name) = inputs[index] else { return nil }
        return name
    }

    /// The value at input `index`; `nil` where there is no such input or it is a parameter.
    public func value(at index: Int) -> String? {
        guard inputs.indices.contains(index), case .value(let name) = inputs[index] else { return nil }
        return name
    }
}

/// The names of a batch normalisation's parameters; `nil` for what another node gives.
public struct NormParameters: Sendable, Hashable {
    public let scale: String?
    public let shift: String?
    public let mean: String?
    public let variance: String?

    /// `nil` for a node that is no batch normalisation.
    public init?(_ node: Node) {
        guard node.operation is BatchNorm else { return nil }
        scale = node.parameter(at: 1)
        shift = node.parameter(at: 2)
        mean = node.parameter(at: 3)
        variance = node.parameter(at: 4)
    }
}

extension Graph {
    /// Gives input `index` of a node this tensor: in place where no other node reads the parameter that is there now, else
    /// under a name of its own, so that others keep theirs.
    /// - Parameter kind: what the name of its own says it is, such as `weight`.
    package mutating func setParameter(
        _ tensor: Tensor, at index: Int, ofNode node: Int, kind: String, isTrainable: Bool
    ) {
        let old = nodes[node].parameter(at: index)
        let isOwn = old.map { name in nodes.reduce(0) { $0 + $1.parameterInputs.count { $0 == name } } == 1 } ?? false
        let name = isOwn ? old ?? "" : unusedParameter("\(nodes[node].name).\(kind)")
        parameters[name] = .init(tensor: tensor, isTrainable: isTrainable)
        if index < nodes[node].inputs.count {
            nodes[node].inputs[index] = .parameter(name)
        } else {
            nodes[node].inputs.append(.parameter(name))
        }
    }

    /// `name`, or with underscores behind it where it is taken.
    package func unusedParameter(_ name: String) -> String {
        var candidate = name
        while parameters[candidate] != nil { candidate += "_" }
        return candidate
    }
}
