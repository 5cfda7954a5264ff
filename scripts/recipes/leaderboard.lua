-- Every policy against every budget on real networks: accuracy as cut, after batch norm was re-estimated, and tuned.
--     scripts/moonrail run scripts/recipes/leaderboard.lua --quick true
--     scripts/moonrail run scripts/recipes/leaderboard.lua --minutes 30
-- Stop it at any time: finished points stand in --out, and the next start goes on with what is left.
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    resnet20 = here .. "/models/resnet20-fashion.safetensors", resnet56 = "", data = "", out = "", quick = false,
    minutes = 0.0, seeds = 3, images = 2560, curve_images = 512, bn_images = 2048, test_images = 10000, sensitivity = true,
    grouping = "C|Kh·Kw|O", policies = "",
}
local keeps = { 0.6, 0.45, 0.3125, 0.2 }
local policies = mr.policies
if args.policies ~= "" then
    policies = {}
    for name in args.policies:gmatch "[^,]+" do policies[#policies + 1] = name end
elseif args.quick then
    policies = { "uniform", "lwiq", "energy", "minimax", "vbmf", "knapsack", "lwiq_energy", "features", "proxy" }
end
if args.quick then args.seeds = 1 end
local path = args.out ~= "" and args.out or (here .. "/results/leaderboard" .. (args.quick and "-quick" or "") .. ".json")
local deadline = args.minutes > 0 and mr.clock() + 60 * args.minutes or math.huge

local train, test = mr.data.fashion_mnist { batch = 128, dir = args.data ~= "" and args.data or nil }
local tuning = mr.data.fashion_mnist {
    batch = 128, augment = { "crop", "flip" }, drop_last = true, dir = args.data ~= "" and args.data or nil,
}
if args.test_images < #test then test = test:take(args.test_images) end

-- What is to be measured, in order.

local wanted = {}
local function want(point)
    point.key = table.concat({ point.model, point.policy, tostring(point.keep), point.seed, point.tuned or "no" }, " ")
    wanted[#wanted + 1] = point
end
local tuned = { uniform = true, lwiq = true, knapsack = true, features = true }
for _, model in ipairs { "resnet20", "resnet56" } do
    for seed = 1, args[model] ~= "" and (model == "resnet20" and args.seeds or 1) or 0 do
        for _, policy in ipairs(policies) do
            -- The slow reference is measured once.
            local counts = policy ~= "sensitivity" or (args.sensitivity and seed == 1)
            for _, keep in ipairs(counts and keeps or {}) do
                want { model = model, policy = policy, keep = keep, seed = seed }
                for _, way in ipairs(not args.quick and tuned[policy] and keep < 0.4 and { "plain", "distilled" } or {}) do
                    want { model = model, policy = policy, keep = keep, seed = seed, tuned = way }
                end
            end
        end
    end
end

local found, done = pcall(mr.read_json, path)
local results = found and done or { points = {}, dense = {} }
local finished = {}
for _, point in ipairs(results.points) do finished[point.key] = point end
local function save()
    results.settings = {
        command = "scripts/moonrail run scripts/recipes/leaderboard.lua" .. (args.quick and " --quick true" or ""),
        images = args.images, curve_images = args.curve_images, bn_images = args.bn_images, grouping = args.grouping,
        test_images = #test, threads = mr.threads(), version = mr.version,
    }
    mr.write_json(path, results)
end

-- What policies need, once per model and seed.

local models, prepared = {}, {}
local function load(name)
    if not models[name] then
        models[name] = mr.load(args[name])
        results.dense[name] = results.dense[name] or {
            accuracy = models[name]:evaluate(test).accuracy, params = models[name].cost.params,
            macs = models[name].cost.macs, latency_ms = models[name]:latency { batch = 1, runs = 100 }.ms,
        }
    end
    return models[name]
end

local curved = { features = true, proxy = true, sensitivity = true }
local function prepare(point)
    local model = load(point.model)
    local what = curved[point.policy] and point.policy or (point.policy:find "lwiq" and "scores")
    if not what then return model, {}, 0.0 end
    local key = table.concat({ point.model, point.seed, what }, " ")
    if not prepared[key] then
        prepared[key] = what == "scores" and mr.lwiq.score(model, train, { images = args.images, seed = point.seed })
            or mr.lwiq.curves(model, train, {
                measure = what, images = args.curve_images, seed = point.seed, grouping = args.grouping,
            })
    end
    local options = what == "scores" and { scores = prepared[key] } or { curves = prepared[key] }
    return model, options, prepared[key].seconds
end

local function measure(point)
    local model, options, seconds = prepare(point)
    options.policy, options.grouping, options.budget = point.policy, args.grouping, { params = point.keep }
    local plan = mr.plan(model, options)
    local small = model:compress(plan)
    mr.seed(point.seed)
    if not point.tuned then point.raw = small:evaluate(test).accuracy end
    small:reestimate(train, { images = args.bn_images })
    if point.tuned then
        small:fit(tuning, {
            epochs = 1, teacher = point.tuned == "distilled" and model or nil, schedule = mr.schedule.cosine { warmup = 0.1 },
            optimizer = mr.optim.sgd { lr = 0.02, momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
        })
    end
    point.accuracy = small:evaluate(test).accuracy
    point.params, point.macs, point.planning_seconds = plan.params, plan.macs, plan.seconds
    point.search_seconds = seconds
    point.latency_ms = small:latency { batch = 1, runs = 50 }.ms
end

local left = 0
for _, point in ipairs(wanted) do
    if finished[point.key] then
        -- Measured by an earlier start.
    elseif mr.clock() < deadline then
        measure(point)
        finished[point.key] = point
        results.points[#results.points + 1] = point
        save()
        print(("%-36s %s after BN%s, %s tuned"):format(
            point.key, point.tuned and "" or ("%.2f %%"):format(100 * point.accuracy),
            point.raw and (" (%.2f %% as cut)"):format(100 * point.raw) or "",
            point.tuned and ("%.2f %%"):format(100 * point.accuracy) or "not"))
    else
        left = left + 1
    end
end

-- One row per policy: mean and standard deviation over the seeds.

local function spread(values)
    local sum, squares = 0.0, 0.0
    for _, value in ipairs(values) do sum = sum + value end
    local mean = sum / #values
    for _, value in ipairs(values) do squares = squares + (value - mean) ^ 2 end
    if #values < 2 then return ("%.2f"):format(100 * mean) end
    return ("%.2f ± %.2f"):format(100 * mean, 100 * math.sqrt(squares / (#values - 1)))
end

for name, dense in pairs(results.dense) do
    for _, way in ipairs { "as cut", "after BN", "plain", "distilled" } do
        local list, view = {}, { title = ("%s, %s (dense %.2f %%)"):format(name, way, 100 * dense.accuracy), { "policy", "policy" } }
        for _, keep in ipairs(keeps) do view[#view + 1] = { "keep" .. keep, ("%g %%"):format(100 * keep) } end
        for _, policy in ipairs(policies) do
            local row, any = { policy = policy }, false
            for _, keep in ipairs(keeps) do
                local values = {}
                for _, point in ipairs(results.points) do
                    local is_way = point.tuned == way or (not point.tuned and (way == "as cut" or way == "after BN"))
                    if point.model == name and point.policy == policy and point.keep == keep and is_way then
                        values[#values + 1] = way == "as cut" and point.raw or point.accuracy
                    end
                end
                row["keep" .. keep] = #values > 0 and spread(values) or ""
                any = any or #values > 0
            end
            if any then list[#list + 1] = row end
        end
        if #list > 0 then print(mr.rows(list, view)) end
    end
end
print(("%d of %d points measured, %d left; %s"):format(#wanted - left, #wanted, left, path))
