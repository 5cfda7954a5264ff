-- Benchmarks, one JSON line each; scripts/bench calls this. Times are milliseconds of wall time.
local mr = require "moonrail"

local args = mr.args { only = "all", net = "", batch = 0, threads = 2, reps = 0, images = 2560 }
mr.threads(args.threads)
mr.seed(1)

local function resident_megabytes()
    local status = io.open "/proc/self/status"
    if not status then return nil end
    local text = status:read "a"
    status:close()
    return tonumber(text:match "VmHWM:%s*(%d+)") / 1024
end

-- Median, least and most of `reps` timed calls after a few that warm up.
local function measure(reps, run)
    if args.reps > 0 then reps = args.reps end
    for _ = 1, math.min(3, reps) do run() end
    local times = {}
    for i = 1, reps do
        local start = mr.clock()
        run()
        times[i] = 1e3 * (mr.clock() - start)
    end
    table.sort(times)
    return { ms = times[(reps + 1) // 2], min = times[1], max = times[reps], reps = reps }
end

local function emit(name, figures, more)
    figures.bench, figures.threads, figures.rss_mb = name, mr.threads(), resident_megabytes()
    for key, value in pairs(more or {}) do figures[key] = value end
    print(mr.json(figures))
end

local function nets(default) return args.net ~= "" and { args.net } or default end
local function batches(default) return args.batch > 0 and { args.batch } or default end

local function build(name)
    local depth = tonumber(name:match "^resnet(%d+)$")
    if not depth then error(("unknown net '%s'; this Moonrail builds resnet20, resnet56, …"):format(name), 0) end
    return mr.zoo.resnet { depth = depth, image = { 3, 32, 32 } }
end

local benches = {}

-- What the machine gives just now: other figures are best read as ratios to this one.
function benches.gemm()
    local a, b = mr.randn(1024, 1024), mr.randn(1024, 1024)
    local figures = measure(20, function() a:matmul(b) end)
    emit("gemm", figures, { size = 1024, gflops = 2 * 1024 ^ 3 / figures.ms / 1e6 })
end

benches["train-step"] = function()
    for _, net in ipairs(nets { "resnet20", "resnet56" }) do
        for _, batch in ipairs(batches { 128 }) do
            local model, optimizer = build(net), mr.optim.sgd { lr = 0.05, momentum = 0.9, weight_decay = 5e-4 }
            local x, labels = mr.randn(batch, 3, 32, 32), {}
            for i = 1, batch do labels[i] = i % 10 + 1 end
            local y = mr.tensor(labels, { dtype = "int64" })
            local figures = measure(12, function()
                optimizer:step(mr.loss.cross_entropy(model:forward(x), y):backward())
            end)
            emit("train_step", figures, { net = net, batch = batch, img_s = 1e3 * batch / figures.ms, peak_mb = mr.memory().peak / 2 ^ 20 })
        end
    end
end

function benches.infer()
    for _, net in ipairs(nets { "resnet20", "resnet56" }) do
        for _, batch in ipairs(batches { 1, 128 }) do
            local model, x = build(net), mr.randn(batch, 3, 32, 32)
            local figures = measure(batch == 1 and 200 or 15, function() model(x) end)
            emit("infer", figures, { net = net, batch = batch, img_s = 1e3 * batch / figures.ms })
        end
    end
end

function benches.imprint()
    local train = mr.data.fashion_mnist()
    for _, net in ipairs(nets { "resnet56" }) do
        local model = mr.zoo.resnet { depth = tonumber(net:match "%d+"), image = train.image_shape }
        local figures = measure(3, function() mr.lwiq.score(model, train, { images = args.images }) end)
        emit("imprint", figures, { net = net, images = args.images, img_s = 1e3 * args.images / figures.ms })
    end
end

-- The first plan decomposes every layer; a further budget only allocates.
function benches.decompose()
    for _, net in ipairs(nets { "resnet20", "resnet56" }) do
        local figures = measure(3, function() mr.plan(build(net), { policy = "uniform", budget = { params = 0.5 } }) end)
        emit("decompose", figures, { net = net })
    end
end

function benches.plan()
    for _, net in ipairs(nets { "resnet20", "resnet56" }) do
        local model, keep, allocation = build(net), 0.3, {}
        local figures = measure(50, function()
            keep = keep + 0.01
            local plan = mr.plan(model, { policy = "uniform", budget = { params = keep } })
            allocation[#allocation + 1] = 1e3 * plan.seconds
        end)
        table.sort(allocation)
        emit("plan", figures, { net = net, allocation_ms = allocation[#allocation // 2] })
    end
end

function benches.startup()
    local binary = os.getenv "MOONRAIL_BINARY"
    if not binary then return end
    local figures = measure(20, function() os.execute(binary .. " --version > /dev/null") end)
    emit("startup", figures, { what = "moonrail --version, with the shell that starts it" })
end

local order = { "gemm", "train-step", "infer", "imprint", "decompose", "plan", "startup" }
local chosen = {}
for name in args.only:gmatch "%S+" do
    if name ~= "all" and not benches[name] then
        error(("unknown benchmark '%s'; there are %s"):format(name, table.concat(order, ", ")), 0)
    end
    chosen[name] = true
end
for _, name in ipairs(order) do
    if chosen.all or chosen[name] then benches[name]() end
end
