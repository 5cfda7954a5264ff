import Autograd
import Graphs
import LuaRuntime
import Operations
import Tensors

/// A tensor as scripts hold it: plain, or on the tape of a forward pass.
final class TensorObject: LuaObjectConvertible {
    let tensor: Tensor
    let recorded: Recorded?

    /// A value on a tape.
    struct Recorded {
        let pass: ForwardPass
        let variable: Variable
    }

    init(_ tensor: Tensor, _ recorded: Recorded? = nil) {
        self.tensor = tensor
        self.recorded = recorded
    }

    /// The result of `operation`, on the tape when an operand is.
    static func apply(_ operation: any Operation, _ operands: [TensorObject]) throws -> TensorObject {
        let passes = operands.compactMap(\.recorded?.pass)
        guard let pass = passes.first else {
            return TensorObject(try operation.evaluate(operands.map(\.tensor), .inference).outputs[0])
        }
        guard passes.allSatisfy({ $0 === pass }) else { throw BindingFailure.twoTapes(operation: operation.name) }
        guard !pass.isSpent else { throw BindingFailure.tapeSpent }
        let variables = operands.map { $0.recorded?.variable ?? pass.tape.variable($0.tensor) }
        let result = try pass.tape.apply(operation, variables)[0]
        return TensorObject(result.tensor, Recorded(pass: pass, variable: result))
    }
}

/// One forward pass of a model on a tape.
final class ForwardPass {
    private(set) var tape = Tape()
    let model: ModelObject
    var parameters: [String: Variable] = [:]
    var isSpent = false

    init(_ model: ModelObject) { self.model = model }

    /// The gradients of `loss` by parameter name.
    func gradients(of loss: Variable) throws -> GradientsObject {
        guard !isSpent else { throw BindingFailure.tapeSpent }
        isSpent = true
        let gradients = try tape.gradients(of: loss)
        var values: [String: Tensor] = [:]
        for (name, variable) in parameters { values[name] = gradients[variable] }
        // The loss stays reachable until Lua collects it; the old parameters must not stay with it.
        parameters = [:]
        tape = Tape()
        return GradientsObject(model: model, values: values)
    }
}

/// Gradients by parameter name, and the model they belong to.
final class GradientsObject: LuaObjectConvertible {
    let model: ModelObject
    let values: [String: Tensor]

    init(model: ModelObject, values: [String: Tensor]) {
        self.model = model
        self.values = values
    }
}

enum GradientsClass {
    static func make() -> LuaClass<GradientsObject> {
        LuaClass("Gradients") { members in
            members.byteCount { $0.values.values.reduce(0) { $0 + $1.byteCount } }
            members.property("names") { $0.values.keys.sorted() }
            members.method("get") { call, gradients in
                try call.push(gradients.values[try call.string(1, "name")].map { TensorObject($0) })
            }
            members.text { "Gradients of \($0.values.count) parameters of \($0.model.graph.name)" }
        }
    }
}
