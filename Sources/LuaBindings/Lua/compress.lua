-- mr.compress(model, options): plan, cut, repair, tune, write, read back and measure. A recipe of your own can begin as a copy.
local core = require "moonrail.core"
local rows = require "moonrail.rows"
local check = require "moonrail.check"
local classes = require "moonrail.classes"
local pipeline = require "moonrail.pipeline"
local reports = require "moonrail.report"

local where = "mr.compress"

local function refuse(option, text, ...) core.fail("lua.argument", ("%s: option '%s' " .. text):format(where, option, ...)) end

-- The options of tuning: a number of steps, or those of Model:finetune; nil where nothing is to be tuned.
local function tuning(options, model, labelled)
    local tune = options.tune
    if type(tune) == "number" then
        if not math.tointeger(tune) or tune < 0 then refuse("tune", "must be a whole number of at least 0, got %s", tune) end
        if tune == 0 then return nil end
        tune = { steps = math.tointeger(tune) }
    end
    if not options.data then refuse("tune", "needs option 'data', images to train on") end
    local given = {}
    for key, value in pairs(check.options("Model:finetune", tune)) do given[key] = value end
    given.images, given.dense = nil, nil
    if given.lr and given.optimizer then refuse("tune", "must have lr or an optimizer, not both") end
    if given.teacher == nil then given.teacher = model end
    -- Without labels the dense model is all that there is to learn from.
    if not labelled and not given.loss then given.distill = 1 end
    return pipeline.tuning(given, model.name)
end

-- What the first images tell: whether the model takes them, and whether it gives a class for each.
local function check_result(model, data, labelled, tunes)
    for batch in data:with { shuffle = false, augment = {}, drop_last = false }:epoch() do
        local results = { model(batch.x) }
        local has_classes = #results == 1 and #results[1].shape == 2
        if labelled and has_classes then return classes.check_outputs(where, model, data, results[1]) end
        if labelled then refuse("labels", "must be false: the model's result is no class for each image") end
        if tunes and not has_classes then refuse("tune", "is for models that give a class for each image, or needs a loss of its own") end
        return
    end
end

-- Everything that can be refused is refused here, before the first long step.
local function checked(model, options)
    check.object(where, 1, "model", model, "Model")
    options = check.options(where, options)
    if options.out then core.check_output(options.out, options.overwrite) end
    if not options.plan then refuse("plan", "is missing: a plan, or the options of mr.plan") end
    if not math.tointeger(options.judge) or options.judge < 1 then refuse("judge", "must be a whole number of at least 1, got %s", options.judge) end
    local data = options.data
    local labelled = data and options.labels and #data.classes > 1
    local images = data and check.image_count(where, options.images, data)
    local tune = tuning(options, model, labelled)
    for _, name in ipairs(options.repairs or {}) do
        if not ({ refit = true, repair = true, reestimate = true })[name] then
            refuse("repairs", "must be among 'refit', 'repair' and 'reestimate', got '%s'", tostring(name))
        end
    end
    local seconds = options.distill_seconds
    if not (seconds >= 0 and seconds < math.huge) then refuse("distill_seconds", "must not be negative or infinite, got %s", seconds) end
    if seconds > 0 and not data then refuse("distill_seconds", "needs option 'data', images to train on") end
    if options.test and data and labelled then classes.check_same(where, data, "test", options.test) end
    if data then check_result(model, data, labelled, tune and not tune.loss) end
    if options.test then check_result(model, options.test, options.labels and #options.test.classes > 1, false) end
    return options, labelled, images, tune
end

-- A function to how good a model is on the images that nothing is chosen by, and what that number is.
local function tester(model, options)
    local test = options.test
    if not test then return nil end
    if options.labels and #test.classes > 1 then
        return function(candidate, name) return candidate:evaluate(test, { label = "evaluating " .. name }).accuracy end, "accuracy"
    end
    local judge = core.judge(test, false, model)
    return function(candidate)
        local quality = judge.measure(candidate)
        return quality.agreement or quality.likeness
    end, "agreement"
end

-- What of a budget's quantities a cost exceeds, and by how much.
local function excess(cost, dense, budget)
    local found = {}
    for _, name in ipairs { "params", "macs", "bytes", "activation_bytes" } do
        local limit = budget and budget[name]
        if limit then
            limit = math.floor(limit <= 1 and limit * dense[name] or limit)
            if cost[name] > limit then found[#found + 1] = { quantity = name, limit = limit, over = cost[name] - limit } end
        end
    end
    return found
end

-- A budget that is smaller by what a repaired model was over it: repair may have given layers biases.
local function reduced(planning, found)
    local changed, budget = {}, {}
    for key, value in pairs(planning) do changed[key] = value end
    for key, value in pairs(planning.budget) do budget[key] = value end
    for _, entry in ipairs(found) do budget[entry.quantity] = math.max(2, entry.limit - entry.over) end
    changed.budget = budget
    return changed
end

-- The options of a plan, with the images that models are fitted to where nothing but these says how to plan.
local function with_images(planning, fitted)
    local chooses = planning.policy == "portfolio" or not (planning.policy or planning.curves or planning.whiten)
    if not fitted or not chooses or planning.data then return planning end
    local chosen = {}
    for key, value in pairs(planning) do chosen[key] = value end
    chosen.data = fitted
    return chosen
end

-- The model cut after a plan and repaired, the plan, and the run with the report so far.
local function cut(model, planning, options, start_run, images)
    local start, run = core.clock(), start_run()
    local plan = planning[1] and planning or reports.plan(core.plan(model, with_images(planning, run.fitted)))
    local small = model:compress(plan)
    run:begin("cut", nil, small, core.clock() - start)
    if options.data then
        run:repair(small, { images = images, repairs = options.repairs, distill_seconds = options.distill_seconds })
        run:tested(small, "repaired")
    end
    return small, plan, run
end

-- How far the results of two models are apart on some images, as a share; nil where they cannot be run on those.
local function apart(model, other, images)
    local ok, results = pcall(function() return { model(images) } end)
    if not ok then return nil end
    local others, difference, whole = { other(images) }, 0, 0
    for i, result in ipairs(results) do
        difference, whole = difference + (others[i] - result):norm() ^ 2, whole + result:norm() ^ 2
    end
    return difference == 0 and 0 or math.sqrt(difference / whole)
end

local function first_images(model, data)
    if not data then return core.randn(2, table.unpack(model.input_shape)) end
    return data:with { shuffle = false, augment = {}, drop_last = false }:epoch()().x
end

-- Writes the model, reads the file again and compares it with the model in memory. What counts is the file.
local function written(small, options)
    small:save(options.out)
    local saved = core.load(options.out)
    local distance = apart(small, saved, first_images(small, options.data))
    -- Other kernels round otherwise; anything more is another model.
    if distance and not (distance < 1e-3) then
        core.fail("compression.fileDiffers", ("%s: the model that was read again from %s gives results that are off by %.2g of the written one's: do not use the file"):format(
            where, options.out, distance))
    end
    return saved, distance
end

local function footer(report)
    local lines = {}
    if report.fitted_images then
        lines[#lines + 1] = ("fitted to %d images, judged on %d %s"):format(
            report.fitted_images, report.judged_images, report.apart and "others" or "that are among them, as there are too few to spare some")
    end
    local small, dense = report.model, report.dense
    lines[#lines + 1] = ("%s: %s of %s parameters (%s), %s multiply-accumulates (%s), %s bytes"):format(
        report.out or "in memory", rows.grouped(small.params), rows.grouped(dense.params), rows.percent(small.params / dense.params),
        rows.grouped(small.macs), rows.percent(small.macs / dense.macs), rows.grouped(small.bytes))
    if report.distance then lines[#lines + 1] = ("the file's results are within %.1g of those of the model in memory"):format(report.distance) end
    for _, entry in ipairs(report.over) do
        lines[#lines + 1] = ("over the budget: %s more %s than %s"):format(rows.grouped(entry.over), entry.quantity, rows.grouped(entry.limit))
    end
    return table.concat(lines, "\n")
end

-- As `cut`; where repair took the model over the budget, once more within less. Where there is no smaller model the report
-- says what this one is over.
local function cut_within(model, options, start_run, images)
    local planning = options.plan
    local small, plan, run = cut(model, planning, options, start_run, images)
    local found = excess(small.cost, model.cost, not planning[1] and planning.budget)
    if #found == 0 then return small, plan, run end
    local ok, other, other_plan, other_run = pcall(cut, model, reduced(planning, found), options, start_run, images)
    if ok then return other, other_plan, other_run end
    if type(other) ~= "userdata" or other.code ~= "compression.unreachable" then error(other, 0) end
    return small, plan, run
end

--- The small model and a report: a row for every step, the plan, and what the file costs (`?mr.compress`).
return function(model, options)
    local labelled, images, tune
    options, labelled, images, tune = checked(model, options)
    local test, measure = tester(model, options)
    local small, plan, run = cut_within(model, options, function()
        return pipeline.start {
            title = "Compression of " .. model.name, data = options.data, dense = model, labelled = labelled,
            judge = math.tointeger(options.judge), seed = options.seed, test = test,
        }
    end, images)
    local report = run.report
    if tune then
        local row
        report.history, row = run:tune(small, tune)
        if row.kept then run:tested(small, "tuned") end
    end
    small:note("plan", { policy = plan.policy, keep_params = plan.keep_params, keep_macs = plan.keep_macs })
    local tests = run.tests
    report.tests = tests
    if measure then small:note(measure, tests.tuned or tests.repaired or tests.cut) end
    report.plan, report.out, report.dense, report.model = plan, options.out, model.cost, small.cost
    report.fitted_images, report.judged_images, report.apart = run.fitted_images, run.judged and #run.judged, run.apart
    if options.out then
        local start = core.clock()
        local saved, distance = written(small, options)
        run:begin("file", "read again", saved, core.clock() - start)
        report.distance, report.model = distance, saved.cost
        report.model.bytes = core.model_size(options.out)
    end
    report.over = excess(report.model, model.cost, not options.plan[1] and options.plan.budget)
    rows.view(report).footer = footer(report)
    return small, report
end
