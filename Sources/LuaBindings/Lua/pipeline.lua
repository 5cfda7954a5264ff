-- What happens to a model once it is cut: repairs, tuning, and the file, each kept only where a measured quality did not
-- fall. mr.compress, Model:finetune, Model:compress_in_stages and budgets that fall while a network is trained call this.
local core = require "moonrail.core"
local rows = require "moonrail.rows"
local fit = require "moonrail.fit"

local pipeline = {}
local methods = {}

-- Fewer images than this are too few to spare some of them: they are fitted to and judged on alike.
local least_to_divide = 16

local view = {
    { "name", "step" }, { "result", "result" }, { "accuracy", "accuracy", rows.percent },
    { "divergence", "divergence", rows.fixed(5) }, { "agreement", "agreement", rows.percent },
    { "likeness", "likeness", rows.percent }, { "tested", "on test images", rows.percent },
    { "params", "parameters", rows.grouped }, { "seconds", "seconds", rows.fixed(1) },
}

-- By so many images accuracies are told apart that differ by a point or two, and divergences by far less.
local most_judged = 1000

-- `count` of the images and the rest of them; nil where a class has a single image, which cannot be in both.
local function divided(data, count, seed)
    local ok, first, rest = pcall(data.divide, data, count, seed)
    if ok then return first, rest end
    if first.code ~= "dataset.invalidSplit" then error(first, 0) end
end

local function sample(data, count, seed)
    return #data > count and divided(data, count, seed) or data
end

-- The images to fit to and those to judge by, and whether these are others. `count` are judged on, and at most a quarter.
local function parts(data, count, seed)
    count = math.min(count, #data // 4)
    if #data >= least_to_divide then
        local judged, fitted = divided(data, count, seed)
        if judged then return fitted, judged, true end
    end
    return data, data, false
end

--- The state of a pipeline: what models are judged by, and a report with a row for every step.
---
--- `options`: `data`, images of which some are held out to judge by; `judge`, how many at most; `judged`, images to judge by in
--- their place; `labelled`, whether their labels count; `dense`, the model that results are compared with; `test`, a function of
--- a model and its name to what is measured for the report alone. Without labels and without a dense model nothing can be
--- judged, and every step is kept.
function pipeline.start(options)
    local run = setmetatable({ dense = options.dense, seed = options.seed or core.seed(), test = options.test, tests = {} }, { __index = methods })
    run.report = rows.wrap({}, { title = options.title, table.unpack(view) })
    if not options.data then return run end
    if options.judged then
        run.fitted, run.judged, run.apart = options.data, sample(options.judged, most_judged, run.seed), true
    else
        run.fitted, run.judged, run.apart = parts(options.data, options.judge or most_judged, run.seed)
    end
    if options.labelled or options.dense then
        run.judge = core.judge(run.judged, options.labelled and true or false, options.dense or nil)
    end
    return run
end

-- A row of the report: a step, what came of it, and what was measured of the model that it made.
local function note(run, step, result, quality, seconds, model)
    local row = { name = step, result = result, seconds = seconds, params = model and model.cost.params or nil }
    for _, name in ipairs { "accuracy", "divergence", "agreement", "likeness" } do row[name] = quality and quality[name] end
    run.report[#run.report + 1] = row
    return row
end

--- Measures a model that was just made, or read: what later steps are compared with.
function methods.begin(run, step, result, model, seconds)
    run.quality = run.judge and run.judge.measure(model)
    run.first = run.quality
    local row = note(run, step, result, run.quality, seconds, model)
    run:tested(model, step)
    return row
end

--- Measures `model` for the report on images that nothing is chosen by, where there are any.
function methods.tested(run, model, name)
    if not run.test then return end
    run.tests[name] = run.test(model, name)
    run.report[#run.report].tested = run.tests[name]
end

-- Keeps what a step made of `model` unless the model before it was better; `restore` brings that one back. Gives the row. With
-- labels a step may diverge from the dense model as far as the model did at first, as long as its accuracy does not fall.
local function decide(run, step, model, start, restore, word)
    local after = run.judge and run.judge.measure(model)
    local fell = after and run.quality and run.judge.is_better(run.quality.number, after.number, run.first.number)
    local row = note(run, step, (word and word .. ", " or "") .. (fell and "worse, not kept" or "kept"), after, core.clock() - start, model)
    row.kept = not fell
    if fell then restore() else run.quality = after end
    return row
end

-- Blocks are trained on as many images as these, or on those that all else is fitted to where these are more.
local most_distilled = 2048

--- Tries the repairs that need no labels, on `options.images` of the images to fit to: fitting factors to the dense model
--- (refit), its channels' statistics (repair) and its batch norms' (reestimate). `options.repairs` are those that may be
--- tried, all unless given; `options.layers` names the layers that are fitted. With `options.distill_seconds` above 0 blocks of
--- layers are trained for so long behind the fit (distill).
function methods.repair(run, model, options)
    run.fitted_images = math.min(options.images, #run.fitted)
    for _, outcome in ipairs(run.judge.repair(model, run.dense, run.fitted, {
        images = options.images, layers = options.layers, repairs = options.repairs, seed = run.seed,
        distill_seconds = options.distill_seconds ~= 0 and options.distill_seconds or nil,
        distill_images = math.min(#run.fitted, math.max(options.images, most_distilled)),
    })) do
        local result = not outcome.after and "nothing to do" or outcome.kept and "kept" or "not better, not kept"
        note(run, outcome.step, result, outcome.after, outcome.seconds).kept = outcome.kept
        run.quality = outcome.kept and outcome.after or outcome.before
    end
end

--- Where there is no dense model: batch norms get the statistics of the images, where that makes the model no worse.
function methods.reestimate(run, model, images)
    local start, before = core.clock(), model:clone()
    if model:reestimate(run.fitted, { images = math.min(images, #run.fitted), seed = run.seed }) > 0 then
        decide(run, "reestimate", model, start, function() core.become(model, before) end)
    end
end

--- The options of Model:fit for tuning, of those with `lr`: optimizer and schedule where the caller says nothing else. What
--- Model:fit would refuse is refused here.
function pipeline.tuning(options, name)
    local given = {}
    for key, value in pairs(options) do given[key] = value end
    given.lr = nil
    given.optimizer = given.optimizer or fit.sgd(options.lr or 0.005)
    given.schedule = given.schedule or core.schedule.cosine { warmup = 0.1 }
    given.label = given.label or ("fine-tuning " .. name)
    if given.teacher == false then given.teacher = nil end
    fit.check(given)
    return given
end

-- The measured quality before a step and behind it, in words.
local function compared(run, row)
    local parts = {}
    for _, name in ipairs { "accuracy", "divergence", "likeness" } do
        if row[name] and run.quality[name] then
            parts[#parts + 1] = (name == "divergence" and "%s %.5f, before %.5f" or "%s %.4f, before %.4f"):format(name, row[name], run.quality[name])
        end
    end
    return table.concat(parts, "; ")
end

--- Trains the model on the images to fit to, with what `pipeline.tuning` gave, and gives the history and the row. Where training
--- diverges, the model before the last good update counts as what was tuned. It is kept unless the model before was better.
---
--- What has a loss or a budget of its own aims at something else than the dense model's results, so it is not judged.
function methods.tune(run, model, options)
    local start, history, given = core.clock(), {}, {}
    for key, value in pairs(options) do given[key] = value end
    given.on_epoch = function(row)
        history[#history + 1] = row
        return options.on_epoch and options.on_epoch(row)
    end
    local keep, restore = core.keeper(model, given.optimizer)
    keep()
    local ok, result = pcall(model.fit, model, run.fitted, given)
    local diverged = not ok and type(result) == "userdata" and result.code == "training.diverged" and result.message
    if not ok and not diverged then error(result, 0) end
    history = ok and result or history
    local judge = run.judge
    if given.loss or given.budget then run.judge = nil end
    local row = decide(run, "tune", model, start, restore, diverged and "ended early" or nil)
    run.judge = judge
    keep(false)
    if diverged then
        row.why = diverged
        core.warn(("tuning %s ended early: %s"):format(model.name, diverged))
    end
    if not row.kept then
        core.warn(("tuning made %s worse on %d images (%s), so that the model before it is kept: more steps or images, or a smaller learning rate, may help")
            :format(model.name, #run.judged, compared(run, row)))
    end
    return history, row
end

return pipeline
