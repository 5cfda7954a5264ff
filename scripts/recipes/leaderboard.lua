-- Every policy against every budget on real networks: accuracy as cut, after batch norm was re-estimated, after the
-- last factors were fitted, and tuned for an epoch.
--     scripts/moonrail run scripts/recipes/leaderboard.lua --quick true
--     scripts/moonrail run scripts/recipes/leaderboard.lua --minutes 30
-- Stop it at any time: finished points stand in --out, and the next start goes on with what is left. Latencies want a quiet
-- machine and are measured by a start of their own with --latency true.
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    resnet20 = here .. "/models/resnet20-fashion.safetensors", resnet56 = here .. "/models/resnet56-fashion.safetensors", data = "", out = "", quick = false,
    minutes = 0.0, seeds = 3, images = 2560, curve_images = 512, bn_images = 2048, test_images = 10000, sensitivity = true,
    grouping = "C|Kh·Kw|O", policies = "", keeps = "0.6,0.45,0.3125,0.2", tuned = "plain,distilled", latency = false,
}
local function list(text)
    local items = {}
    for item in text:gmatch "[^,]+" do items[#items + 1] = tonumber(item) or item end
    return items
end
local keeps, policies = list(args.keeps), args.policies ~= "" and list(args.policies) or mr.policies
if args.quick then
    args.resnet56, args.seeds, args.sensitivity, args.tuned = "", 1, false, ""
end
local path = args.out ~= "" and args.out or (here .. "/results/leaderboard" .. (args.quick and "-quick" or "") .. ".json")
local deadline = args.minutes > 0 and mr.clock() + 60 * args.minutes or math.huge

local train, test = mr.data.fashion_mnist { batch = 128, dir = args.data ~= "" and args.data or nil }
local tuning = mr.data.fashion_mnist {
    batch = 128, augment = { "crop", "flip" }, drop_last = true, dir = args.data ~= "" and args.data or nil,
}
if args.test_images < #test then test = test:take(args.test_images) end

-- What is to be measured, in order: first what is cheap, then what is tuned.

local wanted = {}
local function want(point)
    point.key = table.concat({ point.model, point.policy, tostring(point.keep), point.seed, point.tuned or "no" }, " ")
    wanted[#wanted + 1] = point
end
local slow = { sensitivity = true, output = true }
local worth_tuning = { uniform = true, lwiq = true, knapsack = true, proxy = true }
for _, ways in ipairs { { "" }, list(args.tuned) } do
    for _, model in ipairs { "resnet20", "resnet56" } do
        for seed = 1, args[model] ~= "" and (model == "resnet20" and args.seeds or 1) or 0 do
            for _, policy in ipairs(policies) do
                -- The slow references are measured once.
                local counts = not slow[policy] or (args.sensitivity and seed == 1)
                for _, keep in ipairs(counts and keeps or {}) do
                    for _, way in ipairs(ways) do
                        if way == "" then
                            want { model = model, policy = policy, keep = keep, seed = seed }
                        elseif worth_tuning[policy] and keep < 0.4 then
                            want { model = model, policy = policy, keep = keep, seed = seed, tuned = way }
                        end
                    end
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
            macs = models[name].cost.macs,
        }
    end
    return models[name]
end

local curved = { features = true, proxy = true, output = true, sensitivity = true }
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
        results.searches = results.searches or {}
        results.searches[key] = prepared[key].seconds
    end
    local options = what == "scores" and { scores = prepared[key] } or { curves = prepared[key] }
    return model, options, prepared[key].seconds
end

local function compress(point)
    local model, options, seconds = prepare(point)
    options.policy, options.grouping, options.budget = point.policy, args.grouping, { params = point.keep }
    local plan = mr.plan(model, options)
    return model, model:compress(plan), plan, seconds
end

local function measure(point)
    local model, small, plan, seconds = compress(point)
    mr.seed(point.seed)
    if not point.tuned then
        point.raw = small:evaluate(test).accuracy
        local repaired = small:clone()
        repaired:reestimate(train, { images = args.bn_images, seed = point.seed })
        point.accuracy = repaired:evaluate(test).accuracy
    end
    small:refit(model, train, { images = args.bn_images, seed = point.seed })
    if not point.tuned then
        point.fitted = small:evaluate(test).accuracy
    else
        small:fit(tuning, {
            epochs = 1, teacher = point.tuned == "distilled" and model or nil, schedule = mr.schedule.cosine { warmup = 0.1 },
            optimizer = mr.optim.sgd { lr = 0.02, momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
        })
        point.accuracy = small:evaluate(test).accuracy
    end
    point.params, point.macs, point.planning_seconds = plan.params, plan.macs, plan.seconds
    point.search_seconds = seconds
end

local left = 0
for _, point in ipairs(wanted) do
    local known = finished[point.key]
    if known then
        if args.latency and not known.latency_ms then
            local model, small = compress(known)
            known.latency_ms, known.latency_128_ms = small:latency { batch = 1, runs = 200 }.ms, small:latency { batch = 128, runs = 15 }.ms
            local dense = results.dense[known.model]
            dense.latency_ms, dense.latency_128_ms = model:latency { batch = 1, runs = 200 }.ms, model:latency { batch = 128, runs = 15 }.ms
            save()
        end
    elseif mr.clock() < deadline then
        measure(point)
        finished[point.key] = point
        results.points[#results.points + 1] = point
        save()
        print(point.tuned and ("%-36s %.2f %% tuned"):format(point.key, 100 * point.accuracy)
            or ("%-36s %.2f %% as cut, %.2f %% after BN, %.2f %% fitted"):format(
                point.key, 100 * point.raw, 100 * point.accuracy, 100 * point.fitted))
    else
        left = left + 1
    end
end

-- How well the cheap scores order what the slow reference measured: Spearman's rank correlation over layers and ranks.

local function ranking(values)
    local order, ranks = {}, {}
    for i = 1, #values do order[i] = i end
    table.sort(order, function(a, b) return values[a] < values[b] end)
    local first = 1
    while first <= #order do
        local last = first
        while last < #order and values[order[last + 1]] == values[order[first]] do last = last + 1 end
        for i = first, last do ranks[order[i]] = (first + last) / 2 end
        first = last + 1
    end
    return ranks
end

local function spearman(a, b)
    local x, y, mean = ranking(a), ranking(b), (#a + 1) / 2
    local xy, xx, yy = 0.0, 0.0, 0.0
    for i = 1, #a do
        xy, xx, yy = xy + (x[i] - mean) * (y[i] - mean), xx + (x[i] - mean) ^ 2, yy + (y[i] - mean) ^ 2
    end
    return xy / math.sqrt(math.max(xx * yy, 1e-300))
end

local function correlations(model)
    local values = { energy = {}, gain = {}, ["gain x energy"] = {} }
    local significance = {}
    prepare { model = model, policy = "lwiq", seed = 1 }
    for _, row in ipairs(prepared[model .. " 1 scores"]) do significance[row.layer] = row.significance end
    for _, measure in ipairs { "sensitivity", "output", "proxy", "features" } do
        prepare { model = model, policy = measure, seed = 1 }
        values[measure] = {}
        for _, row in ipairs(prepared[model .. " 1 " .. measure]) do
            for i, loss in ipairs(row.losses) do
                table.insert(values[measure], loss)
                if measure == "sensitivity" then
                    table.insert(values.energy, row.errors[i])
                    table.insert(values.gain, significance[row.layer])
                    table.insert(values["gain x energy"], significance[row.layer] * row.errors[i])
                end
            end
        end
    end
    local result = {}
    for name, list in pairs(values) do
        if name ~= "sensitivity" then result[name] = spearman(list, values.sensitivity) end
    end
    return result
end

results.correlations = results.correlations or {}
for _, model in ipairs { "resnet20", "resnet56" } do
    local is_measured = false
    for _, point in ipairs(results.points) do
        is_measured = is_measured or point.model == model and point.policy == "sensitivity"
    end
    if is_measured and args[model] ~= "" and not results.correlations[model] and mr.clock() < deadline then
        results.correlations[model] = correlations(model)
        save()
    end
end

assert(loadfile(here .. "/recipes/leaderboard_tables.lua"))(results)
print(("%d of %d points measured, %d left; %s"):format(#wanted - left, #wanted, left, path))
