-- What the leaderboard's policies and models take: seconds of search and of ten budgets, milliseconds of the models with and
-- without a limit on latency, and how well the cheap searches order what the slow one measured. Wants a quiet machine;
-- adds to the leaderboard's results, and leaves out what stands there already.
--     scripts/moonrail run scripts/recipes/leaderboard_timings.lua
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    results = here .. "/results/leaderboard.json", models = "resnet20,resnet56", grouping = "auto", images = 2560, again = false,
    limits = { default = "0.9,0.85,0.8,0.7,0.6", help = "shares of the dense model's time to ask for, until one cannot be met" },
}
local results = mr.read_json(args.results)
local train = mr.data.fashion_mnist { batch = 128 }
results.timings = not args.again and results.timings or {}

local measures = { "output", "proxy", "features", "sensitivity" }

-- Every search once, after a first plan that decomposes the layers for all of them; then ten budgets by each policy.
local function searches(model)
    local warm = mr.clock()
    mr.plan(model, { policy = "knapsack", grouping = args.grouping, budget = { params = 0.5 } })
    local seconds, found = { decomposition = mr.clock() - warm }, {}
    for _, measure in ipairs(measures) do
        found[measure] = mr.lwiq.curves(model, train, { measure = measure, seed = 1, grouping = args.grouping })
        seconds[measure] = found[measure].seconds
    end
    found.scores = mr.lwiq.score(model, train, { images = args.images, seed = 1 })
    seconds.scores = found.scores.seconds
    return seconds, found
end

local function policies(model, seconds, found)
    local list = {}
    for _, policy in ipairs(mr.policies) do
        local search = found[policy] and policy or (policy:find "lwiq" and "scores")
        local options = { policy = policy, grouping = args.grouping, curves = found[policy], scores = search == "scores" and found.scores or nil }
        local start = mr.clock()
        for step = 1, 10 do
            options.budget = { params = 0.15 + 0.05 * step }
            mr.plan(model, options)
        end
        list[#list + 1] = { policy = policy, search = search and seconds[search] or 0, ten_budgets = mr.clock() - start }
    end
    return list
end

-- Spearman's rank correlation over layers and ranks, with the accuracy that the slow reference lost there.
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

local function correlations(found)
    local values, significance = { energy = {}, gain = {}, ["gain x energy"] = {} }, {}
    for _, row in ipairs(found.scores) do significance[row.layer] = row.significance end
    for _, measure in ipairs(measures) do
        values[measure] = {}
        for _, row in ipairs(found[measure]) do
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

-- Milliseconds of two models in turn, so that the machine's drift meets both: the round whose ratio is the median of seven.
local function side_by_side(one, other, batch)
    local runs, rounds = batch < 16 and 200 or 10, {}
    for round = 1, 7 do
        local dense, small = one:latency { batch = batch, runs = runs }.ms, other:latency { batch = batch, runs = runs }.ms
        rounds[round] = { dense = dense, small = small, ratio = small / dense }
    end
    table.sort(rounds, function(a, b) return a.ratio < b.ratio end)
    return rounds[4]
end

-- 3.2 times fewer parameters by the default policy, ranks in multiples of 8: without a limit on latency, and with one.
local function latencies(model, curves)
    local list = {}
    for _, batch in ipairs { 1, 128 } do
        local limits = { false }
        for limit in args.limits:gmatch "[^,]+" do limits[#limits + 1] = tonumber(limit) end
        for _, limit in ipairs(limits) do
            local met, plan = pcall(mr.plan, model, {
                policy = "output", curves = curves, grouping = args.grouping, latency_batch = batch, align = 8,
                budget = { params = 0.3125, latency = limit or nil },
            })
            if not met then break end
            local small = model:compress(plan)
            local row = side_by_side(model, small, batch)
            row.batch, row.limit, row.macs = batch, limit or nil, plan.keep_macs
            small:refit(model, train, { seed = 1 })
            row.fitted = small:evaluate(select(2, mr.data.fashion_mnist { batch = 128 })).accuracy
            list[#list + 1] = row
        end
    end
    return list
end

for name in args.models:gmatch "[^,]+" do
    if not results.timings[name] then
        local model = mr.load(("%s/models/%s-fashion.safetensors"):format(here, name))
        local seconds, found = searches(model)
        results.timings[name] = {
            searches = seconds, policies = policies(model, seconds, found), correlations = correlations(found),
            latencies = latencies(model, found.output), threads = mr.threads(), grouping = args.grouping,
        }
        mr.write_json(args.results, results)
    end
end
assert(loadfile(here .. "/recipes/leaderboard_tables.lua"))(results)
