import Basics
import LuaBindings
import LuaRuntime
import Tensors

/// A training, an evaluation and a decomposition, scripted in Lua.
enum InterpreterTraining {
    static func run(steps: Int, kernels: Int) throws -> Digits {
        let state = try LuaState(LuaOptions(context: ComputeContext(threadCount: kernels)))
        try Toolkit.install(in: state)
        let found = try state.run(script, name: "training.lua", arguments: [steps])
        return found.compactMap { $0.number?.bitPattern }
    }

    private static let script = """
        local steps = ...
        local mr = require "moonrail"
        mr.seed(1)
        local nn = mr.nn
        local model = nn.sequential { seed = 1, image = { 1, 12, 12 }, nn.conv { channels = 16, kernel = 3, padding = 1 },
            nn.batch_norm(), nn.relu(), nn.conv { channels = 16, kernel = 3, padding = 1 }, nn.relu(), nn.max_pool(), nn.flatten(),
            nn.linear { features = 3 } }
        local x, labels = mr.randn(24, 1, 12, 12), {}
        for i = 1, 24 do labels[i] = i % 3 + 1 end
        local y = mr.tensor(labels, { dtype = "int64" })
        local optimizer = mr.optim.sgd { lr = 0.01, momentum = 0.9 }
        local sum, last = 0, 0
        for _ = 1, steps do
            local loss = mr.loss.cross_entropy(model:forward(x), y)
            last = loss:item()
            sum = sum + last
            optimizer:step(loss:backward())
        end
        local small = model:compress(mr.plan(model, { policy = "uniform", budget = { params = 0.5 } }))
        return sum, last, model(x):norm(), small(x):norm()
        """
}
