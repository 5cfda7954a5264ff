import Graphs
import Operations
import Tensors

/// The module that is being written: gives names, collects layers, weights and statements.
struct TorchWriter {
    /// Lines of `__init__` and of `forward`.
    private(set) var members: [String] = []
    private(set) var statements: [String] = []
    /// The state dict.
    private(set) var weights: [(name: String, tensor: Tensor)] = []
    /// Functions that the statements call.
    private(set) var definitions: [String] = []

    private let graph: Graph
    /// Shapes for two samples, of values.
    private let shapes: [String: Shape]
    private var attributeNames = PythonNames(reserved: PythonNames.moduleAttributes)
    private var localNames = PythonNames(reserved: ["self", "torch", "nn", "F", "resized"])
    /// Where each parameter that can be shared is, such as `self.conv.weight`.
    private var owners: [String: String] = [:]

    private var variables: [String: String] = [:]
    /// The position of the last node that reads a value.
    private var lastUses: [String: Int] = [:]
    /// Variables that nobody reads any more, the one to take next at the end.
    private var free: [String] = []
    private var madeCount = 0
    private var position = 0

    init(_ graph: Graph) throws {
        self.graph = graph
        shapes = try ShapeInference.shapes(of: graph, batch: 2)
        for (position, node) in graph.nodes.enumerated() {
            for value in node.valueInputs { lastUses[value] = position }
        }
        // Inputs keep their variables, and results are read at the end.
        for value in graph.inputs.map(\.name) + graph.outputs { lastUses[value] = .max }
        for input in graph.inputs { variables[input.name] = localNames.unique(input.name) }
    }

    mutating func begin(_ position: Int) { self.position = position }

    // MARK: What nodes read

    func shape(of source: Source) -> Shape {
        switch source {
        case .value(let name): shapes[name] ?? []
        case .parameter(let name): graph.parameters[name]?.tensor.shape ?? []
        }
    }

    /// The shape that `node` makes, for two samples.
    func shape(madeBy node: Node) -> Shape { shapes[node.name] ?? [] }

    func variable(of value: String) -> String { variables[value] ?? "" }

    /// A variable, or the parameter of the module.
    mutating func expression(_ source: Source) throws -> String {
        switch source {
        case .value(let value): return variable(of: value)
        case .parameter(let parameter):
            if let owner = owners[parameter] { return owner }
            let entry = try entry(parameter)
            let name = attributeNames.unique(parameter)
            let dims = Python.tuple(entry.tensor.shape.dims)
            if entry.tensor.dtype == .float32 {
                let suffix = entry.isTrainable ? "" : ", requires_grad=False"
                members.append("self.\(name) = nn.Parameter(torch.empty(\(dims))\(suffix))")
            } else {
                members.append("self.register_buffer(\"\(name)\", torch.empty(\(dims), dtype=torch.\(entry.tensor.dtype)))")
            }
            weights.append((name, entry.tensor))
            owners[parameter] = "self." + name
            return "self." + name
        }
    }

    private func entry(_ parameter: String) throws -> ParameterTable.Parameter {
        guard let entry = graph.parameters[parameter] else {
            throw GraphFailure.unknownParameter(graph: graph.name, node: graph.nodes[position].name, parameter: parameter)
        }
        return entry
    }

    // MARK: What nodes make

    /// Adds a layer of PyTorch with its weights; gives `self.layer`.
    /// - Throws: `notExportable` for a weight that is no parameter.
    mutating func layer(_ node: Node, _ constructor: String, _ parameters: [(key: String, source: Source)]) throws -> String {
        let name = attributeNames.unique(node.name)
        members.append("self.\(name) = nn.\(constructor)")
        for (key, source) in parameters {
            guard case .parameter(let parameter) = source else {
                throw InterchangeFailure.notExportable(
                    operation: node.operation.name, detail: "its \(key) is made by another node, which PyTorch's layer cannot take")
            }
            let entry = try entry(parameter)
            weights.append(("\(name).\(key)", entry.tensor))
            // Running statistics are each layer's own: PyTorch keeps them apart from what is learned.
            if key.hasPrefix("running_") { continue }
            if let owner = owners[parameter] {
                members.append("self.\(name).\(key) = \(owner)")
            } else {
                owners[parameter] = "self.\(name).\(key)"
                if !entry.isTrainable { members.append("self.\(name).\(key).requires_grad_(False)") }
            }
        }
        return "self." + name
    }

    /// Adds the function `definition` once.
    mutating func define(_ definition: String) {
        if !definitions.contains(definition) { definitions.append(definition) }
    }

    /// Adds the statement that makes the result of `node`. Variables are used again once nobody reads them, so that
    /// Python lets go of the activations.
    mutating func finish(_ node: Node, _ expression: String) {
        for value in Set(node.valueInputs).sorted() where lastUses[value] == position {
            free.append(variable(of: value))
        }
        free.sort { ($1.count, $1) < ($0.count, $0) }
        let variable = free.popLast() ?? made()
        variables[node.name] = variable
        if lastUses[node.name] == nil { free.append(variable) }
        statements.append("\(variable) = \(expression)")
    }

    /// x, y, z, x3, x4, …
    private mutating func made() -> String {
        defer { madeCount += 1 }
        return localNames.unique(madeCount < 3 ? ["x", "y", "z"][madeCount] : "x\(madeCount)")
    }
}

/// Values as Python writes them.
enum Python {
    static func tuple(_ values: [Int]) -> String {
        values.count == 1 ? "(\(values[0]),)" : "(" + values.map(String.init).joined(separator: ", ") + ")"
    }

    /// One number for both axes where they agree.
    static func pair(_ values: [Int]) -> String {
        values.count == 2 && values[0] == values[1] ? "\(values[0])" : tuple(values)
    }

    /// The shortest text that gives the same double again.
    static func number(_ value: Double) -> String { "\(value)" }

    /// Indices that take `last` of dimension `dimension` and all of those before it.
    static func index(_ dimension: Int, _ last: String) -> String {
        "[" + String(repeating: ":, ", count: dimension) + last + "]"
    }

    /// Zeros, or `value`, around rows and columns: above, left, below and right.
    static func padded(_ x: String, _ padding: [Int], value: String? = nil) -> String {
        guard padding.contains(where: { $0 != 0 }) else { return x }
        let sides = tuple([padding[1], padding[3], padding[0], padding[2]])
        return "F.pad(\(x), \(sides)\(value.map { ", value=\($0)" } ?? ""))"
    }
}
