import Formats
import Graphs
import Interchange
import LuaRuntime
import Tensors
import Training

/// Functions that load and checkpoint models.
enum ModelFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.offer(ModelClass.make(randomState), in: state)
        try table.define("load", in: state) { call in
            let file = try ModelFile.read(try call.path(1, "path"))
            try call.push(ModelObject(file.graph, notes: file.notes))
        }
        try table.define("become", in: state) { call in
            let other = try call.object(2, "other", as: ModelObject.self)
            try call.exclusive(1, "model", as: ModelObject.self) { $0.setGraph(other.graph) }
        }
        try table.define("forget_parameters", in: state) { call in
            let model = try call.object(2, "model", as: ModelObject.self)
            try call.exclusive(1, "optimizer", as: OptimizerObject.self) { try $0.forgetParameters(notOf: model) }
        }
        try table.define("save_checkpoint", in: state) { call in
            let model = try call.object(2, "model", as: ModelObject.self)
            let optimizer = try call.object(3, "optimizer", as: OptimizerObject.self).optimizer
            var notes = model.notes
            notes["checkpoint"] = [
                "steps": .integer(Int64(optimizer.stepCount)), "optimizer": .string(OptimizerObject.name(of: optimizer)),
                "state": try LuaJSON.encode(try call.value(4), place: "state"),
            ]
            try ModelFile(graph: model.graph, notes: notes, optimizerState: optimizer.state).write(to: try call.path(1, "path"))
        }
        try table.define("load_checkpoint", in: state) { call in
            let path = try call.path(1, "path")
            let file = try ModelFile(path: path)
            let adopts = try call.options(4, known: ["adopts"]).boolean("adopts", default: false)
            try call.exclusive(2, "model", as: ModelObject.self) { model in
                try call.exclusive(3, "optimizer", as: OptimizerObject.self) { optimizer in
                    try restore(file, path: path, into: model, optimizer, adopts: adopts)
                }
            }
            let saved = file.notes["checkpoint"]?["state"] ?? .null
            try call.push(try LuaJSON.decode(saved, in: call.state))
        }
    }

    /// - Parameter adopts: whether the model becomes the file's, in place of a check that it is the same but for values.
    private static func restore(
        _ file: ModelFile, path: String, into model: ModelObject, _ optimizer: OptimizerObject, adopts: Bool
    ) throws {
        func refuse(_ detail: String) -> InterchangeFailure { .malformed(source: path, place: "checkpoint", detail: detail) }
        guard let entry = file.notes["checkpoint"], let steps = entry["steps"]?.integer else {
            throw refuse("is a model, but no checkpoint")
        }
        let kind = OptimizerObject.name(of: optimizer.optimizer)
        guard entry["optimizer"]?.string == kind else {
            throw refuse("was made with \(entry["optimizer"]?.string ?? "no optimizer"), not with \(kind)")
        }
        for name in adopts ? [] : model.graph.parameters.names {
            guard let own = model.graph.parameters[name]?.tensor, let saved = file.graph.parameters[name]?.tensor,
                own.shape == saved.shape
            else { throw refuse("is of another model: '\(name)' is missing or of another shape") }
        }
        var state: [String: Tensor] = [:]
        for (name, tensor) in file.optimizerState { state[name] = tensor }
        var restored = optimizer.optimizer
        try restored.restore(state: state, stepCount: steps)
        optimizer.optimizer = restored
        if adopts { model.setGraph(file.graph) } else { model.setParameters(file.graph.parameters) }
    }
}
