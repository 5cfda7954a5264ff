import LuaBindings
import LuaRuntime
import Testing

/// The one table of options against what functions take, and against itself.
@Suite(.serialized) struct OptionTableTests {
    /// What stands in front of every check: `all` has the options of every function that takes some.
    private static let table = """
        local core = require "moonrail.core"
        local all = {}
        for _, entry in ipairs(require "moonrail.help".entries) do
            local options = core.options(entry.name)
            if options then all[entry.name] = options end
        end

        """

    @Test func everyFunctionThatTakesOptionsDescribesThem() throws {
        try run(
            Self.table + """
                local count = 0
                for _, entry in ipairs(require "moonrail.help".entries) do
                    if entry.arguments:find "options" or entry.name == "mr.compare" then
                        count = count + 1
                        assert(all[entry.name] and #all[entry.name] > 0, entry.name .. " has no described options")
                    end
                end
                assert(count > 80, count)
                """)
    }

    @Test func everyOptionHasATypeAndASentence() throws {
        try run(
            Self.table + """
                for name, options in pairs(all) do
                    for _, option in ipairs(options) do
                        local where = name .. ": " .. option.name
                        assert(option.kind:find "^[%w\\"]", where)
                        assert(#option.text >= 5 and not option.text:find "^=", where .. " is not described")
                        assert(not (option.required and option.default ~= nil), where .. " must be given and has a default")
                        local kind = math.type(option.default) or type(option.default)
                        local fits = kind == "nil" or (kind == "integer" and (option.kind:find "integer" or option.kind:find "number"))
                            or (kind == "float" and option.kind:find "number") or (kind == "string" and option.kind:find '[%w"]')
                            or (kind == "boolean" and option.kind:find "boolean") or (kind == "table" and option.kind:find "%[%]")
                        assert(fits, where .. " has a default of another type")
                    end
                end
                """)
    }

    /// A name that means the same has one type and one default, whatever the function.
    @Test func aNameHasOneTypeAndOneDefault() throws {
        try run(
            Self.table + """
                -- The same word for other things, and words whose default is the function's own.
                local own = {
                    augment = "which movements, whether to move", batch = "images of a data set, of a measurement",
                    budget = "a limit, a function of the epoch to one", channels = "of a layer, of pictures", classes = "names, how many",
                    depth = "each family of networks has its usual one", deviation = "of starting values, whether to give deviations",
                    dir = "only Fashion-MNIST has a usual place", epochs = "of a schedule, of training", error = "aimed at, allowed",
                    factor = "of a rate, of a size", features = "of a layer, the weight of the teacher's", floor = "of a gain, of a rate",
                    grouping = "what formats was called, of one chain", image = "networks of the zoo have a usual one",
                    images = "how many a measurement needs, an array of npz", label = "of a bar, of progress", labels = "an array, a kind",
                    lr = "an optimizer needs one", max_rank = "of layers, of a train, of a search", momentum = "of statistics, of steps",
                    name = "of networks and data sets, which have usual ones, and of layers", order = "of factors, of stages, of products",
                    outputs = "factors, values", padding = "what a padding layer is for", ranks = "one of several ways, the only way",
                    runs = "of a measurement, whether to measure", size = "of pictures, of pooled features", start = "a factor, a batch",
                    steps = "of a schedule, of training", stride = "of pools the window", temperature = "of a loss, of a teacher if any",
                    title = "only a report has a usual one", width = "a factor of channels, the features of a patch",
                }
                local seen = {}
                for name, options in pairs(all) do
                    for _, option in ipairs(options) do
                        local default = option.default
                        if type(default) == "table" then default = table.concat(default, " ") end
                        local text = ("%s = %s, %s"):format(option.kind, tostring(default), option.required)
                        local before = seen[option.name]
                        assert(not before or before.text == text or own[option.name],
                            before and ("%s is %s in %s and %s in %s"):format(option.name, before.text, before.name, text, name))
                        seen[option.name] = before or { text = text, name = name }
                        if before and before.text ~= text then before.differs = true end
                    end
                end
                for name in pairs(own) do assert(seen[name] and seen[name].differs, name .. " is the same everywhere") end
                """)
    }

    /// A function meets a default of the table: nothing else says it.
    @Test func defaultsAreThoseOfTheTable() throws {
        try run(
            """
            local check, core = require "moonrail.check", require "moonrail.core"
            local given = check.options("mr.schedule.shrink", { to = 0.5 })
            assert(given.from == 1 and given.steps == 4 and given.to == 0.5)
            assert(next(given) == "to" and next(given, "to") == nil)
            assert(check.default("Model:compress_in_stages", "order") == "forward")
            local rate = mr.schedule.step()
            for _, option in ipairs(core.options "mr.schedule.step") do
                if option.name == "milestones" then assert(rate(option.default[1] + 0.01) < 1 and rate(option.default[1] - 0.01) == 1) end
            end
            """)
    }

    @Test func seedsAreThatOfTheState() throws {
        try run(
            """
            local data = mr.data.from_tensors(mr.rand(40, 1, 4, 4), mr.ones(40):to "int64", { classes = { "a" } })
            mr.seed(1) local first = data:divide(10).images
            mr.seed(2) local second = data:divide(10).images
            mr.seed(1) local third = data:divide(10).images
            local function apart(a, b) return (a - b):abs():sum():item() end
            assert(apart(first, third) == 0 and apart(first, second) > 0)
            """)
    }

    @Test(arguments: [
        ("images = 0.5", ""), ("images = 1", "must be a whole number of at least 2"), ("images = 2.5", "must be a whole number"),
        ("images = 0.001", "a share below 1 that makes so many"), ("imagse = 3", "did you mean 'images'?"),
    ]) func imagesAreANumberOrAShare(options: String, message: String) throws {
        try run(
            """
            local model = mr.zoo.mlp { image = { 1, 4, 4 }, classes = 2, hidden = { 4 } }
            local data = mr.data.from_tensors(mr.rand(40, 1, 4, 4), mr.randperm(40) % 2 + 1, { classes = { "a", "b" } })
            local ok, failure = pcall(model.repair, model, model:clone(), data, { \(options) })
            assert(ok == (\(message.isEmpty))  and (ok or tostring(failure):find("\(message)", 1, true)), tostring(failure))
            """)
    }

    @Test func helpAndCompletionReadTheTable() throws {
        let state = try LuaState()
        try Toolkit.install(in: state)
        let help = try #require(Toolkit.help(for: "Model:refit", in: state))
        #expect(help.contains("ridge?: number = 0.0001") && help.contains("below 1 the share"))
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(Toolkit.help(for: "mr.plan", in: state)?.contains("latency_ms?: number") == true)
        #expect(Toolkit.optionKeys(of: "Model:finetune", in: state).starts(with: ["dense", "budget"]))
    }
}
