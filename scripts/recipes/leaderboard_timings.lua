-- What the leaderboard's policies and models take: seconds of search and of ten budgets (part "search", which also says how well
-- the cheap searches order what the slow one measured), milliseconds of every policy's models beside the dense one
-- ("models"), and of the default's with limits on latency ("limits"). Wants a quiet machine; adds to the leaderboard's
-- results, and leaves out what stands there already.
--     scripts/moonrail run scripts/recipes/leaderboard_timings.lua
--     scripts/moonrail run scripts/recipes/leaderboard_timings.lua --nets resnet20 --parts models
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    results = here .. "/results/leaderboard.json", nets = "resnet20,resnet56", parts = "search,models,limits",
    formats = "auto", images = 2560, keeps = "0.6,0.45,0.3125,0.2",
    limits = { default = "0.9,0.85,0.8,0.7,0.6", help = "shares of the dense model's time to ask for, until one cannot be met" },
}
local results = mr.read_json(args.results)
local train, test = mr.data.fashion_mnist { batch = 128 }
results.timings = results.timings or {}

local measures = { "output", "proxy", "features", "sensitivity" }

-- What the policies of one net want to know, each measured once, after a first plan that decomposes the layers for all.
local function searching(model)
    mr.plan(model, { policy = "quadratic", formats = args.formats, budget = { params = 0.5 } })
    local found = {}
    return function(what)
        if not found[what] then
            found[what] = what == "scores" and mr.lwiq.score(model, train, { images = args.images, seed = 1 })
                or mr.sensitivity(model, train, { measure = what, seed = 1, formats = args.formats })
        end
        return found[what]
    end
end

local function options_for(policy, search)
    local what = policy:find "lwiq" and "scores"
    for _, measure in ipairs(measures) do what = what or (measure == policy and measure) end
    local found = what and search(what)
    return {
        policy = policy, formats = args.formats,
        curves = what and what ~= "scores" and found or nil, scores = what == "scores" and found or nil,
    }, found and found.seconds or 0.0
end

local function ten_budgets(model, search)
    local list = {}
    for _, policy in ipairs(mr.policies) do
        local options, seconds = options_for(policy, search)
        local start = mr.clock()
        for step = 1, 10 do
            options.budget = { params = 0.15 + 0.05 * step }
            mr.plan(model, options)
        end
        list[#list + 1] = { policy = policy, search = seconds, ten_budgets = mr.clock() - start }
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

local function correlations(search)
    local values, significance = { energy = {}, gain = {}, ["gain x energy"] = {} }, {}
    for _, row in ipairs(search "scores") do significance[row.layer] = row.significance end
    for _, measure in ipairs(measures) do
        values[measure] = {}
        for _, row in ipairs(search(measure)) do
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

-- Milliseconds of two models in turn, so that the machine's drift meets both: the round whose ratio is the median.
local function side_by_side(one, other, batch, count)
    local runs, rounds = batch < 16 and 200 or 10, {}
    for round = 1, count do
        local dense, small = one:latency { batch = batch, runs = runs }.ms, other:latency { batch = batch, runs = runs }.ms
        rounds[round] = { dense = dense, small = small, ratio = small / dense }
    end
    table.sort(rounds, function(a, b) return a.ratio < b.ratio end)
    return rounds[(count + 1) // 2]
end

-- The models of every policy but the slow reference, added to those that `list` has.
local function models(model, search, list)
    local known = {}
    for _, row in ipairs(list) do known[row.policy] = true end
    for _, policy in ipairs(mr.policies) do
        if policy ~= "sensitivity" and not known[policy] then
            local options = options_for(policy, search)
            for keep in args.keeps:gmatch "[^,]+" do
                options.budget = { params = tonumber(keep) }
                local small = model:compress(mr.plan(model, options))
                local one, many = side_by_side(model, small, 1, 3), side_by_side(model, small, 128, 3)
                list[#list + 1] = { policy = policy, keep = tonumber(keep), ratio_1 = one.ratio, ratio_128 = many.ratio, ms_1 = one.small, ms_128 = many.small }
            end
        end
    end
    return list
end

-- 3.2 times fewer parameters by the default policy, ranks in multiples of 8: without a limit on latency, and with one.
local function limited(model)
    local list = {}
    for _, batch in ipairs { 1, 128 } do
        local limits = { false }
        for limit in args.limits:gmatch "[^,]+" do limits[#limits + 1] = tonumber(limit) end
        for _, limit in ipairs(limits) do
            local met, plan = pcall(mr.plan, model, {
                policy = "quadratic", formats = args.formats, latency_batch = batch, align = 8,
                budget = { params = 0.3125, latency = limit or nil },
            })
            if not met then break end
            local small = model:compress(plan)
            local row = side_by_side(model, small, batch, 7)
            row.batch, row.limit, row.macs = batch, limit or nil, plan.keep_macs
            small:refit(model, train, { seed = 1 })
            row.fitted = small:evaluate(test).accuracy
            list[#list + 1] = row
        end
    end
    return list
end

for net in args.nets:gmatch "[^,]+" do
    local model = mr.load(("%s/models/%s-fashion.safetensors"):format(here, net))
    local timings, search = results.timings[net] or {}, searching(model)
    results.timings[net] = timings
    local function part(name, field, measure)
        if not args.parts:find(name) then return end
        timings[field] = measure()
        timings.threads, timings.formats = mr.threads(), args.formats
        mr.write_json(args.results, results)
    end
    part("search", "policies", function() return timings.policies or ten_budgets(model, search) end)
    part("search", "correlations", function() return timings.correlations or correlations(search) end)
    part("models", "models", function() return models(model, search, timings.models or {}) end)
    part("limits", "latencies", function() return timings.latencies or limited(model) end)
end
assert(loadfile(here .. "/recipes/leaderboard_tables.lua"))(results)
