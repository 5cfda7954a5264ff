public import Tensors

/// A model's tensors by name, in the order they were made.
public struct ParameterTable: Sendable {
    public struct Parameter: Sendable {
        public var tensor: Tensor
        /// Learned by gradients; running statistics are not.
        public var isTrainable: Bool

        public init(tensor: Tensor, isTrainable: Bool) {
            self.tensor = tensor
            self.isTrainable = isTrainable
        }
    }

    public private(set) var names: [String] = []
    private var entries: [String: Parameter] = [:]

    public init() {}

    public subscript(name: String) -> Parameter? {
        get { entries[name] }
        set {
            if newValue == nil {
                if entries.removeValue(forKey: name) != nil { names.removeAll { $0 == name } }
            } else {
                if entries[name] == nil { names.append(name) }
                entries[name] = newValue
            }
        }
    }

    /// Replaces the tensor of an existing parameter.
    public mutating func update(_ name: String, _ tensor: Tensor) { entries[name]?.tensor = tensor }

    public var trainableNames: [String] { names.filter { entries[$0]?.isTrainable == true } }

    /// Elements of the trainable parameters.
    public var trainableElementCount: Int {
        entries.values.reduce(0) { $0 + ($1.isTrainable ? $1.tensor.elementCount : 0) }
    }

    /// Bytes of all tensors, running statistics included.
    public var byteCount: Int { entries.values.reduce(0) { $0 + $1.tensor.byteCount } }

    /// Keeps only the parameters in `used`, in their order.
    public mutating func keep(only used: Set<String>) {
        names.removeAll { !used.contains($0) }
        entries = entries.filter { used.contains($0.key) }
    }
}
