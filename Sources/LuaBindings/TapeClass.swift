import Autograd
import Graphs
import LuaRuntime
import Tensors

/// A tape as scripts hold it: what was computed on it from models and watched tensors can be differentiated once.
final class TapeObject: LuaObjectConvertible {
    private(set) var tape = Tape()
    /// The parameters that models entered; a model that ran twice is here twice.
    private var models: [(model: ModelObject, parameters: [String: Variable])] = []
    private var isSpent = false
    /// Of what the tape keeps of its operations, beside their tensors.
    private let account: LuaAccount

    init(in state: LuaState) { account = LuaAccount(in: state) }

    /// The variable of a tensor: its own where it is on this tape, else a constant.
    /// - Throws: `tapeSpent`, or `twoTapes` where the tensor is on another one.
    func enter(_ object: TensorObject, operation: String) throws -> Variable {
        guard !isSpent else { throw BindingFailure.tapeSpent }
        guard let recorded = object.recorded else { return tape.variable(object.tensor) }
        guard recorded.pass === self else { throw BindingFailure.twoTapes(operation: operation) }
        return recorded.variable
    }

    /// Counts operations that are about to be recorded.
    func expect(operations count: Int) throws { try account.add(count * Self.operationCost) }

    private static let operationCost = 512

    /// The tensor as one that gradients are worked out for.
    func watch(_ tensor: Tensor) throws -> TensorObject {
        guard !isSpent else { throw BindingFailure.tapeSpent }
        try tensor.requireType(.float32, "Tape:watch")
        try expect(operations: 1)
        return TensorObject(tensor, .init(pass: self, variable: tape.variable(tensor, requiresGradient: true)))
    }

    func remember(_ model: ModelObject, _ parameters: [String: Variable]) { models.append((model, parameters)) }

    /// The gradients of `loss`. The tape is empty afterwards.
    func gradients(of loss: Variable) throws -> GradientsObject {
        guard !isSpent else { throw BindingFailure.tapeSpent }
        isSpent = true
        let gradients = try tape.gradients(of: loss)
        var found: [(model: ModelObject, values: [String: Tensor])] = []
        for (model, parameters) in models {
            var values = found.first { $0.model === model }?.values ?? [:]
            for (name, variable) in parameters {
                guard let gradient = gradients[variable] else { continue }
                values[name] = try values[name]?.adding(gradient) ?? gradient
            }
            found.removeAll { $0.model === model }
            found.append((model, values))
        }
        // The loss stays reachable until Lua collects it; the old parameters must not stay with it.
        models = []
        tape = Tape()
        return GradientsObject(tape: self, watched: gradients, models: found)
    }
}

enum TapeClass {
    static func make() -> LuaClass<TapeObject> {
        LuaClass("Tape") { members in
            members.byteCount { _ in 1024 }
            members.method("watch") { call, tape in
                try tape.watch(try call.object(1, "tensor", as: TensorObject.self).tensor)
            }
        }
    }
}

/// What a backward pass gave: gradients of models by parameter name, and of watched tensors.
final class GradientsObject: LuaObjectConvertible {
    private let tape: TapeObject
    private let watched: Gradients
    let models: [(model: ModelObject, values: [String: Tensor])]

    init(tape: TapeObject, watched: Gradients, models: [(model: ModelObject, values: [String: Tensor])]) {
        self.tape = tape
        self.watched = watched
        self.models = models
    }

    /// The only model that these are gradients of.
    var only: (model: ModelObject, values: [String: Tensor]) {
        get throws {
            guard models.count == 1 else { throw BindingFailure.manyModels(count: models.count) }
            return models[0]
        }
    }

    /// Those of one model alone; `nil` where the loss did not depend on it.
    func part(_ model: ModelObject) -> GradientsObject? {
        models.first { $0.model === model }.map { GradientsObject(tape: tape, watched: watched, models: [$0]) }
    }

    /// - Throws: `foreignTensor` for one that is not on the tape these come from.
    func gradient(of tensor: TensorObject) throws -> Tensor? {
        guard let recorded = tensor.recorded, recorded.pass === tape else { throw BindingFailure.foreignTensor }
        return watched[recorded.variable]
    }
}

enum GradientsClass {
    static func make() -> LuaClass<GradientsObject> {
        LuaClass("Gradients") { members in
            members.byteCount { gradients in
                gradients.models.reduce(0) { $1.values.reduce($0) { $0 + $1.value.byteCount + $1.key.utf8.count } }
            }
            members.property("names") { try $0.only.values.keys.sorted() }
            members.method("get") { call, gradients in
                try call.push(try gradients.only.values[try call.string(1, "name")].map { TensorObject($0) })
            }
            members.method("of") { call, gradients in
                if call.isObject(1, as: ModelObject.self) {
                    return try call.push(gradients.part(try call.object(1, "model", as: ModelObject.self)))
                }
                let tensor = try call.object(1, "tensor", as: TensorObject.self)
                try call.push(try gradients.gradient(of: tensor).map { TensorObject($0) })
            }
            members.text { gradients in
                let parts = gradients.models.map { "\($0.values.count) parameters of \($0.model.graph.name)" }
                return "Gradients of " + (parts.isEmpty ? "watched tensors" : parts.joined(separator: ", "))
            }
        }
    }
}
