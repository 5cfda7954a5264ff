import Graphs
import LuaRuntime
import Training

/// `mr.optim` and `mr.schedule`.
enum TrainingFunctions {
    static func add(to table: LuaTable, in state: LuaState) throws {
        try table.offer(OptimizerClass.make(), in: state)
        try table.offer(TapeClass.make(), in: state)
        try table.offer(GradientsClass.make(), in: state)
        try table.set("optim", try optimizers(in: state))
        try table.set("schedule", try schedules(in: state))
        try table.define("keeper", in: state) { call in try keeper(call) }
        try table.define("diverged", in: state) { call in
            throw TrainingFailure.diverged(
                step: try call.integer(1, "step"), epoch: try call.integer(2, "epoch"), reason: try call.string(3, "reason"),
                kept: try call.string(4, "kept"))
        }
    }

    /// Two functions: one keeps what a model and its optimizer are now, or with `false` forgets it; the other makes them
    /// that again. Nothing is copied, as a step makes new tensors.
    private static func keeper(_ call: borrowing LuaCall) throws {
        final class Kept { var value: (graph: Graph, optimizer: any Optimizer)? }
        let kept = Kept()
        let model = try call.object(1, "model", as: ModelObject.self)
        let object = try call.object(2, "optimizer", as: OptimizerObject.self)
        try call.push(
            try call.state.function("keep") { call in
                let keeps = try call.optionalBoolean(1, "keeps") ?? true
                kept.value = keeps ? (model.graph, object.optimizer) : nil
            })
        try call.push(
            try call.state.function("restore") { _ in
                guard let (graph, optimizer) = kept.value else { return }
                if model.graph.nodes.map(\.name) == graph.nodes.map(\.name) {
                    model.setParameters(graph.parameters)
                } else {
                    model.setGraph(graph)
                }
                object.optimizer = optimizer
            })
    }

    private static func optimizers(in state: LuaState) throws -> LuaTable {
        let table = try state.table()
        try table.define("sgd", in: state, module: "mr.optim") { call in
            let options = try call.options(1)
            try call.push(
                OptimizerObject(
                    try StochasticGradientDescent(
                        learningRate: try rate(options), momentum: try options.number("momentum"),
                        weightDecay: try options.number("weight_decay"),
                        isNesterov: try options.boolean("nesterov"))))
        }
        try table.define("adam", in: state, module: "mr.optim") { call in
            let options = try call.options(1)
            let betas = try options.numbers("betas")
            guard betas.count == 2 else { throw options.invalid("betas", "must be two numbers, got \(betas.count)") }
            try call.push(
                OptimizerObject(
                    try Adam(
                        learningRate: try rate(options), betas: (betas[0], betas[1]),
                        epsilon: try options.number("eps"),
                        weightDecay: try options.number("weight_decay"),
                        isDecoupled: try options.boolean("decoupled"))))
        }
        return table
    }

    private static func rate(_ options: OptionReader) throws -> Double {
        let rate = try options.number("lr")
        guard rate > 0, rate.isFinite else { throw options.invalid("lr", "must be positive, got \(rate)") }
        return rate
    }

    /// Schedules are functions of the progress, 0 to 1, to a factor of the peak learning rate.
    private static func schedules(in state: LuaState) throws -> LuaTable {
        let table = try state.table()
        func define(_ name: String, _ make: @escaping (OptionReader) throws -> LearningRateSchedule) throws {
            try table.define(name, in: state, module: "mr.schedule") { call in
                let schedule = try make(try call.options(1))
                try call.push(
                    try call.state.function("schedule", byteCount: 256) { call in
                        try call.push(schedule.factor(at: try call.number(1, "progress")))
                    })
            }
        }
        try define("constant") { _ in .constant }
        try define("cosine") { options in
            .cosine(
                warmup: try share(options, "warmup"), floor: try share(options, "floor"))
        }
        try define("step") { options in
            .step(
                milestones: try options.numbers("milestones"),
                factor: try options.number("factor"))
        }
        try define("one_cycle") { options in
            .oneCycle(
                rise: try share(options, "rise"), start: try share(options, "start"),
                floor: try share(options, "floor"))
        }
        return table
    }

    private static func share(_ options: OptionReader, _ name: String) throws -> Double {
        let value = try options.number(name)
        guard (0...1).contains(value) else { throw options.invalid(name, "must be in 0…1, got \(value)") }
        return value
    }
}
