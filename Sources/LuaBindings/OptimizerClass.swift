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
}

enum OptimizerClass {
    static func make() -> LuaClass<OptimizerObject> {
        LuaClass("Optimizer") { members in
            members.text { "\(OptimizerObject.name(of: $0.optimizer)) at learning rate \($0.optimizer.learningRate)" }
            members.property("steps") { $0.optimizer.stepCount }
            members.property("lr", get: { $0.optimizer.learningRate }) { call, object in
                let rate = try call.number(1, "lr")
                guard rate.isFinite, rate >= 0 else { throw call.invalid(1, "lr", "must not be negative, got \(rate)") }
                object.optimizer.learningRate = rate
            }
            members.mutatingMethod("step") { call, object in
                let gradients = try call.object(1, "gradients", as: GradientsObject.self)
                var parameters = gradients.model.graph.parameters
                try object.optimizer.step(&parameters, gradients: gradients.values)
                gradients.model.setParameters(parameters)
            }
        }
    }
}
