-- Every policy against every budget on real networks: accuracy as cut, after batch norm was re-estimated, after the
-- last factors were fitted, and tuned for an epoch.
--     scripts/moonrail run scripts/recipes/leaderboard.lua --quick true
--     scripts/moonrail run scripts/recipes/leaderboard.lua --minutes 30
--     scripts/moonrail run scripts/recipes/leaderboard.lua --models vit=FILE,mlp=FILE --out FILE.json
-- Stop it at any time: finished points stand in --out, and the next start goes on with what is left. What takes how long is
-- measured by leaderboard_timings.lua, on a quiet machine.
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    models = { default = ("resnet20=%s/models/resnet20-fashion.safetensors,resnet56=%s/models/resnet56-fashion.safetensors"):format(here, here),
        help = "names and files of trained networks, such as recipes/networks.lua makes" },
    data = "", out = "", quick = false,
    minutes = 0.0, seeds = 3, images = 2560, curve_images = 0, bn_images = 2048, fit_images = 512, test_images = 10000,
    formats = "auto", policies = "", keeps = "0.6,0.45,0.3125,0.2", untuned = true, tuned = "distilled,plain",
}
local function list(text)
    local items = {}
    for item in text:gmatch "[^,]+" do items[#items + 1] = tonumber(item) or item end
    return items
end
-- Policies spend multiply-accumulates unlike, so the two best are also asked to make do with those of uniform. Two that need no
-- images of their own are also asked to count errors by what they do to the layers' outputs.
local matched, whitened = " at uniform's MACs", " whitened"
local keeps = list(args.keeps)
local policies = list(args.policies ~= "" and args.policies
    or "portfolio," .. table.concat(mr.policies, ",") .. (",quadratic%s,output%s,quadratic%s,knapsack%s"):format(matched, matched, whitened, whitened))
if args.quick then
    args.models = args.models:match "^[^,]+"
    args.seeds, args.formats, args.tuned, policies = 1, "auto", "", { "uniform", "quadratic", "output", "portfolio" }
end
local path = args.out ~= "" and args.out or (here .. "/results/leaderboard" .. (args.quick and "-quick" or "") .. ".json")
local deadline = args.minutes > 0 and mr.clock() + 60 * args.minutes or math.huge

local train, test = mr.data.fashion_mnist { batch = 128, dir = args.data ~= "" and args.data or nil }
local tuning = mr.data.fashion_mnist {
    batch = 128, augment = { "crop", "flip" }, drop_last = true, dir = args.data ~= "" and args.data or nil,
}
if args.test_images < #test then test = test:take(args.test_images) end

local files, names = {}, {}
for name, file in args.models:gmatch "([^,=]+)=([^,]+)" do files[name], names[#names + 1] = file, name end

-- What is to be measured, in order: first what is cheap, then what is tuned. A second choice of formats, what is tuned or whitened of
-- ResNet-56 and the slow reference are measured with one draw of the images.

local wanted = {}
local function want(point)
    point.key = table.concat({
        point.model, point.formats, point.policy, tostring(point.keep), point.seed, point.tuned or "no",
    }, " ")
    wanted[#wanted + 1] = point
end
local worth_tuning = { uniform = true, lwiq = true, knapsack = true, quadratic = true, output = true, portfolio = true }
local formats = list(args.formats)
local function want_all(way)
    for seed = 1, args.seeds do
        for _, model in ipairs(names) do
            for position, own in ipairs(formats) do
                for _, policy in ipairs(policies) do
                    local costly = way or policy:find(whitened, 1, true)
                    local once = position > 1 or policy == "sensitivity" or (costly and model == "resnet56")
                    for _, keep in ipairs(once and seed > 1 and {} or keeps) do
                        local point = { model = model, formats = own, policy = policy, keep = keep, seed = seed, tuned = way }
                        if not way or (worth_tuning[policy] and keep < 0.4 and position == 1) then want(point) end
                    end
                end
            end
        end
    end
end
if args.untuned then want_all(nil) end
for _, way in ipairs(list(args.tuned)) do want_all(way) end

local results = mr.exists(path) and mr.read_json(path) or { points = {}, dense = {} }
local finished = {}
for _, point in ipairs(results.points) do finished[point.key] = point end
local settings = {
    command = "scripts/moonrail run scripts/recipes/leaderboard.lua" .. (args.quick and " --quick true" or ""),
    images = args.images, curve_images = args.curve_images, bn_images = args.bn_images, fit_images = args.fit_images,
    test_images = #test, version = mr.version,
}
-- Points of other settings are no points of this table.
for name, value in pairs(results.settings or {}) do
    if name:find "images" and settings[name] ~= value then
        error(("%s was measured with %s = %s, not %s: give another --out, or delete it"):format(path, name, value, settings[name]), 0)
    end
end
local function save()
    results.settings = settings
    mr.write_json(path, results)
end

-- What policies need, once per model, formats and seed.

local loaded, prepared = {}, {}
local function load(name)
    if not loaded[name] then
        loaded[name] = mr.load(files[name])
        results.dense[name] = results.dense[name] or {
            accuracy = loaded[name]:evaluate(test).accuracy, params = loaded[name].cost.params,
            macs = loaded[name].cost.macs,
        }
    end
    return loaded[name]
end

local curved = { features = true, proxy = true, output = true, sensitivity = true }
local function planned(point)
    local model, policy = load(point.model), point.policy:match "^%g+"
    local what = curved[policy] and policy or (policy:find "lwiq" and "scores")
    local options = { policy = policy, formats = point.formats, budget = { params = point.keep } }
    if point.policy == policy .. whitened then
        local key = table.concat({ point.model, point.seed, "whitening" }, " ")
        prepared[key] = prepared[key] or (train:divide(args.fit_images, point.seed))
        options.whiten = prepared[key]
    elseif policy == "portfolio" then
        -- It chooses by its images whether it is asked for as a policy or not.
        options.data, options.seed = train, point.seed
    elseif point.policy == policy .. matched then
        options.budget.macs = mr.plan(model, { policy = "uniform", formats = point.formats, budget = { params = point.keep } }).macs
    end
    if what then
        local key = table.concat({ point.model, point.formats, point.seed, what }, " ")
        prepared[key] = prepared[key] or (what == "scores"
            and mr.lwiq.score(model, train, { images = args.images, seed = point.seed })
            or mr.sensitivity(model, train, {
                measure = what, seed = point.seed, formats = point.formats, images = args.curve_images > 0 and args.curve_images or nil,
            }))
        options[what == "scores" and "scores" or "curves"] = prepared[key]
    end
    return model, mr.plan(model, options)
end

local function measure(point)
    local model, plan = planned(point)
    mr.seed(point.seed)
    local _, report = mr.compress(model, {
        plan = plan, data = point.tuned and tuning or train, test = test, repairs = { "refit" }, images = args.fit_images, seed = point.seed,
        tune = point.tuned and { epochs = 1, teacher = point.tuned == "distilled" and model or false } or nil,
    })
    if point.tuned then
        point.accuracy = report.tests.tuned or report.tests.repaired
    else
        point.raw, point.fitted = report.tests.cut, report.tests.repaired
        local repaired = model:compress(plan)
        repaired:reestimate(train, { images = args.bn_images, seed = point.seed })
        point.accuracy = repaired:evaluate(test).accuracy
    end
    point.params, point.macs = plan.params, plan.macs
    if plan.policy ~= point.policy:match "^%g+" then point.chosen = plan.policy end
end

local left = 0
for _, point in ipairs(wanted) do
    if finished[point.key] then goto continue end
    if mr.clock() > deadline then
        left = left + 1
        goto continue
    end
    measure(point)
    finished[point.key] = point
    results.points[#results.points + 1] = point
    save()
    print(point.tuned and ("%-44s %.2f %% tuned"):format(point.key, 100 * point.accuracy)
        or ("%-44s %.2f %% as cut, %.2f %% after BN, %.2f %% fitted"):format(
            point.key, 100 * point.raw, 100 * point.accuracy, 100 * point.fitted))
    ::continue::
end

assert(loadfile(here .. "/recipes/leaderboard_tables.lua"))(results)
print(("%d of %d points measured, %d left; %s"):format(#wanted - left, #wanted, left, path))
