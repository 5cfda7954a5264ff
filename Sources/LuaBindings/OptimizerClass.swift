import Graphs
import LuaRuntime
import Tensors
import Training

/// An optimizer as scripts hold it.
final class OptimizerObject: LuaObjectConvertible {
    var optimizer: any Optimizer

    init(_ optimizer: any Optimizer) { self.optimizer = optimizer }

    /// The name scripts know an optimizer by.
    static func name(of optimizer: any Optimizer) -> String { optimizer is Adam ? "adam" : "sgd" }

    /// Forgets what it keeps of parameters that `model` has no longer, or has in another shape.
    func forgetParameters(notOf model: ModelObject) throws {
        var kept: [String: Tensor] = [:]
        for (name, tensor) in optimizer.state {
            let parameter = name.drop { $0 != "/" }.dropFirst()
            if model.graph.parameters[String(parameter)]?.tensor.shape == tensor.shape { kept[name] = tensor }
        }
        var changed = optimizer
        try changed.restore(state: kept, stepCount: optimizer.stepCount)
        optimizer = changed
    }
}

enum OptimizerClass {
    static func make() -> LuaClass<OptimizerObject> {
        LuaClass("Optimizer") { members in
            members.byteCount { $0.optimizer.state.reduce(0) { $0 + $1.tensor.byteCount + $1.name.utf8.count + 128 } }
            members.text { "\(OptimizerObject.name(of: $0.optimizer)) at learning rate \($0.optimizer.learningRate)" }
            members.property("steps") { $0.optimizer.stepCount }
            members.property("lr", get: { $0.optimizer.learningRate }) { call, object in
                let rate = try call.number(1, "lr")
                guard rate.isFinite, rate >= 0 else { throw call.invalid(1, "lr", "must not be negative, got \(rate)") }
                object.optimizer.learningRate = rate
            }
            members.mutatingMethod("step") { call, object in
                let gradients = try call.object(1, "gradients", as: GradientsObject.self).only
                var parameters = gradients.model.graph.parameters
                try object.optimizer.step(&parameters, gradients: gradients.values)
                gradients.model.setParameters(parameters)
            }
            members.mutatingMethod("update") { call, object in try update(call, object) }
        }
    }

    /// Parameters that are no model's: a tensor, or a table of tensors; a new one comes back.
    private static func update(_ call: borrowing LuaCall, _ object: OptimizerObject) throws {
        if call.isObject(1, as: TensorObject.self) {
            let value = try call.object(1, "parameters", as: TensorObject.self).tensor
            let gradient = try call.object(2, "gradients", as: TensorObject.self).tensor
            let updated = try step(object, ["tensor": value], ["tensor": gradient])
            return try call.push(TensorObject(updated["tensor"] ?? value))
        }
        let given = try tensors(call, 1, "parameters")
        let updated = try step(
            object, try byName(given, call, 1, "parameters"),
            try byName(try tensors(call, 2, "gradients"), call, 2, "gradients"))
        let table = try call.state.table()
        for entry in given {
            let value = TensorObject(updated[entry.name] ?? entry.tensor)
            switch entry.key {
            case .integer(let index): try table.rawSet(index, value)
            default: try table.rawSet(entry.name, value)
            }
        }
        try call.push(table)
    }

    /// The optimizer's state knows parameters by texts, so that 1 and "1" would be one of them.
    private static func byName(
        _ found: [(key: LuaValue, name: String, tensor: Tensor)], _ call: borrowing LuaCall, _ position: Int, _ name: String
    ) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for entry in found where tensors.updateValue(entry.tensor, forKey: entry.name) != nil {
            throw call.invalid(position, name, "must have different names, but has two keys that read '\(entry.name)'")
        }
        return tensors
    }

    private static func step(
        _ object: OptimizerObject, _ values: [String: Tensor], _ gradients: [String: Tensor]
    ) throws -> [String: Tensor] {
        var parameters = ParameterTable()
        for (name, tensor) in values.sorted(by: { $0.key < $1.key }) {
            parameters[name] = .init(tensor: tensor, isTrainable: true)
        }
        try object.optimizer.step(&parameters, gradients: gradients)
        return values.keys.reduce(into: [:]) { $0[$1] = parameters[$1]?.tensor }
    }

    /// The tensors of a table, by names for the optimizer's state.
    private static func tensors(
        _ call: borrowing LuaCall, _ position: Int, _ name: String
    ) throws -> [(key: LuaValue, name: String, tensor: Tensor)] {
        var found: [(key: LuaValue, name: String, tensor: Tensor)] = []
        var stranger: String?
        for (key, value) in try call.table(position, name).entries() {
            let text: String
            switch key {
            case .string(let name): text = name
            case .integer(let index): text = "\(index)"
            default: throw call.invalid(position, name, "must have names or whole numbers as keys")
            }
            if let tensor = try call.object(in: value, as: TensorObject.self)?.tensor { found.append((key, text, tensor)) } else { stranger = text }
        }
        if let stranger { throw call.invalid(position, name, "must be tensors, but '\(stranger)' is none") }
        return found
    }
}
