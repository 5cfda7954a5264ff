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

    init(name: String, seed: Int) {
        builder = GraphBuilder(name: name, seed: UInt64(bitPattern: Int64(seed)))
    }

    func input(_ shape: Shape) -> ValueObject { ValueObject(self, builder.input("images", shape)) }

    /// Names of layers made until `leave` begin with `name` and a dot.
    func enter(_ name: String) { scopes.append(name + ".") }
    func leave() { _ = scopes.popLast() }

    func shape(of value: String) -> Shape { builder.shape(of: value) ?? [] }

    /// Adds `layer` behind `inputs` with weights of its own.
    func add(_ layer: LayerObject, _ inputs: [ValueObject]) throws -> ValueObject {
        guard !isFinished else { throw BindingFailure.networkFinished(network: builder.graph.name) }
        guard inputs.allSatisfy({ $0.network === self }) else { throw BindingFailure.twoNetworks(layer: layer.kind) }
        let scope = scopes.joined()
        let count = (counts[scope + layer.kind] ?? 0) + 1
        counts[scope + layer.kind] = count
        let name = scope + (layer.name ?? "\(layer.kind)\(count)")
        return ValueObject(self, try layer.add(&builder, name, inputs.map(\.name)))
    }

    func finish(_ outputs: [ValueObject]) throws -> Graph {
        guard outputs.allSatisfy({ $0.network === self }) else { throw BindingFailure.twoNetworks(layer: "the result") }
        isFinished = true
        return try builder.finish(outputs: outputs.map(\.name))
    }
}

/// A value inside a network that is being built: what layers are applied to.
final class ValueObject: LuaObjectConvertible {
    let network: NetworkObject
    let name: String

    init(_ network: NetworkObject, _ name: String) {
        self.network = network
        self.name = name
    }

    /// The shape for one sample.
    var sampleShape: [Int] { Array(network.shape(of: name).dims.dropFirst()) }
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

enum NetworkClasses {
    static func register(in state: LuaState) throws {
        try state.register(LuaClass<NetworkObject>("Network") { members in
            members.mutatingMethod("finish") { call, network in
                var outputs: [ValueObject] = []
                for position in 1...max(1, call.argumentCount) {
                    outputs.append(try call.object(position, "result", as: ValueObject.self))
                }
                try call.push(ModelObject(try network.finish(outputs)))
            }
        })
        try state.register(LuaClass<ValueObject>("Value") { members in
            members.text { "Value \($0.name) \(Shape($0.sampleShape))" }
            members.property("shape") { $0.sampleShape }
            members.property("name") { $0.name }
            members.metamethod(.add) { call in
                let operands = [
                    try call.object(1, "a", as: ValueObject.self), try call.object(2, "b", as: ValueObject.self),
                ]
                try call.push(try operands[0].network.add(LayerFunctions.sum(name: nil), operands))
            }
        })
        try state.register(LuaClass<LayerObject>("Layer") { members in
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
