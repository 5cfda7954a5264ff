import Graphs
import LuaRuntime
import Operations
import Tensors

/// A network that a script is putting together.
final class NetworkObject: LuaObjectConvertible {
    private var builder: GraphBuilder
    private var scopes: [String] = []
    /// How many layers of a kind there are in a scope, for names such as `conv2`.
    private var counts: [String: Int] = [:]
    private var isFinished = false
    /// The model that is being changed, where this is no network from scratch.
    private let original: ModelObject?
    /// The layers whose chains lose a link.
    private let brokenChains: Set<String>
    /// The name that the next layer without one of its own takes over.
    private var claimedName: String?
    /// Of what was put together so far.
    private let account: LuaAccount

    init(name: String, seed: Int, in state: LuaState) {
        account = LuaAccount(in: state)
        builder = GraphBuilder(name: name, seed: UInt64(bitPattern: Int64(seed)))
        (original, brokenChains) = (nil, [])
    }

    /// A network to be put together from the nodes of a model, all but those `changed`.
    init(changing model: ModelObject, _ changed: Set<String>, name: String, seed: Int, in state: LuaState) {
        account = LuaAccount(in: state)
        builder = GraphBuilder(name: name, seed: UInt64(bitPattern: Int64(seed)))
        original = model
        brokenChains = Set(model.graph.nodes.filter { changed.contains($0.name) }.compactMap(\.origin?.layer))
    }

    func input(_ shape: Shape, named name: String = "images") -> ValueObject {
        ValueObject(self, .value(builder.input(name, shape)))
    }

    func claim(_ name: String) { claimedName = name }

    /// Adds a node of the model that is being changed, as it is there but for what it reads.
    func keep(_ name: String, _ inputs: [ValueObject]) throws -> [ValueObject] {
        guard let graph = original?.graph, let index = graph.index(ofNode: name) else {
            throw GraphFailure.unknownOutput(graph: builder.graph.name, value: name)
        }
        guard !isFinished else { throw BindingFailure.networkFinished(network: builder.graph.name) }
        guard inputs.allSatisfy({ $0.network === self }) else { throw BindingFailure.twoNetworks(layer: name) }
        let node = graph.nodes[index]
        try account.add(Self.nodeCost + node.name.utf8.count)
        guard inputs.count == node.valueInputs.count else {
            throw BindingFailure.layerInputs(layer: name, expected: node.valueInputs.count, got: inputs.count)
        }
        let isBroken = node.origin.map { brokenChains.contains($0.layer) } ?? false
        let made = try builder.adopt(node, of: graph, inputs: inputs.map(\.source), keepsOrigin: !isBroken)
        return made.map { ValueObject(self, .value($0)) }
    }

    /// Names of layers made until `leave` begin with `name` and a dot.
    func enter(_ name: String) throws {
        try account.add(32 + name.utf8.count)
        scopes.append(name + ".")
    }
    func leave() { _ = scopes.popLast() }

    func shape(of source: Source) -> Shape {
        switch source {
        case .value(let name): builder.shape(of: name) ?? []
        case .parameter(let name): builder.graph.parameters[name]?.tensor.shape ?? []
        }
    }

    /// Adds `layer` behind `inputs` with weights of its own.
    func add(_ layer: LayerObject, _ inputs: [ValueObject]) throws -> ValueObject {
        let name = try place(layer.kind, named: layer.name, among: inputs)
        let values = try inputs.map { input -> String in
            guard case .value(let value) = input.source else { throw BindingFailure.parameterInput(layer: layer.kind) }
            return value
        }
        return ValueObject(self, .value(try layer.add(&builder, name, values)))
    }

    /// Adds an operation that has no weights of its own behind values and parameters.
    func add(_ operation: any GraphOperation, _ inputs: [ValueObject]) throws -> ValueObject {
        let name = try place(operation.name, named: nil, among: inputs)
        return ValueObject(self, .value(try builder.add(name, operation, inputs.map(\.source))))
    }

    /// A tensor of the network's own: learned, or a constant.
    func parameter(_ kind: String, named name: String? = nil, _ tensor: Tensor, isTrainable: Bool) throws -> ValueObject {
        let name = try place(kind, named: name, among: [])
        guard builder.graph.parameters[name] == nil else {
            throw GraphFailure.duplicateName(graph: builder.graph.name, name: name)
        }
        return ValueObject(self, builder.parameter(name, tensor, isTrainable: isTrainable))
    }

    /// Bytes of a node, or of a parameter beside its tensor, without names.
    private static let nodeCost = 1024

    /// The name of what is about to be added, inside the blocks that are open.
    private func place(_ kind: String, named name: String?, among inputs: [ValueObject]) throws -> String {
        guard !isFinished else { throw BindingFailure.networkFinished(network: builder.graph.name) }
        guard inputs.allSatisfy({ $0.network === self }) else { throw BindingFailure.twoNetworks(layer: kind) }
        defer { claimedName = nil }
        let given = (name ?? claimedName ?? "").utf8.count
        try account.add(Self.nodeCost + scopes.reduce(given) { $0 + $1.utf8.count })
        if name == nil, let claimedName { return claimedName }
        let scope = scopes.joined()
        let count = (counts[scope + kind] ?? 0) + 1
        counts[scope + kind] = count
        return scope + (name ?? "\(kind)\(count)")
    }

    func finish(_ outputs: [ValueObject]) throws -> ModelObject {
        guard outputs.allSatisfy({ $0.network === self }) else { throw BindingFailure.twoNetworks(layer: "the result") }
        isFinished = true
        let names = try outputs.map { output -> String in
            guard case .value(let name) = output.source else { throw BindingFailure.parameterInput(layer: "the result") }
            return name
        }
        let graph = try builder.finish(outputs: names)
        guard let original else { return ModelObject(graph) }
        // What was cut off goes, with its parameters.
        return ModelObject(try graph.computing(names), notes: original.notes)
    }
}

/// A layer with its options; every use of it makes new weights.
final class LayerObject: LuaObjectConvertible {
    typealias Adder = (inout GraphBuilder, _ name: String, _ inputs: [String]) throws -> String

    /// What names are made of where the script gives none.
    let kind: String
    let name: String?
    let inputCount: Int
    let add: Adder

    init(_ kind: String, name: String?, inputCount: Int = 1, _ add: @escaping Adder) {
        self.kind = kind
        self.name = name
        self.inputCount = inputCount
        self.add = add
    }
}

/// What the standard library puts networks together with, and no script sees.
enum NetworkClasses {
    static func register(in state: LuaState) throws {
        try state.register(
            LuaClass<NetworkObject>("Network") { members in
                members.mutatingMethod("finish") { call, network in
                    var outputs: [ValueObject] = []
                    for position in 1...max(1, call.argumentCount) {
                        outputs.append(try call.object(position, "result", as: ValueObject.self))
                    }
                    try call.push(try network.finish(outputs))
                }
                members.mutatingMethod("claim") { call, network in network.claim(try call.string(1, "name")) }
                members.mutatingMethod("keep") { call, network in
                    var inputs: [ValueObject] = []
                    for position in stride(from: 2, through: call.argumentCount, by: 1) {
                        inputs.append(try call.object(position, "x", as: ValueObject.self))
                    }
                    for value in try network.keep(try call.string(1, "name"), inputs) { try call.push(value) }
                }
            })
        try state.register(
            LuaClass<LayerObject>("Layer") { members in
                members.byteCount { ($0.name?.utf8.count ?? 0) + 256 }
                members.text { "Layer \($0.name ?? $0.kind)" }
                members.callable { call, layer in
                    guard call.argumentCount == layer.inputCount else {
                        throw BindingFailure.layerInputs(layer: layer.kind, expected: layer.inputCount, got: call.argumentCount)
                    }
                    let inputs = try (1...layer.inputCount).map { try call.object($0, "x", as: ValueObject.self) }
                    try call.push(try inputs[0].network.add(layer, inputs))
                }
            })
    }
}
