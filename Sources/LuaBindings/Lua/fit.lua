-- model:fit(data, options): the training loop. Copy it to change it: it uses nothing that a script cannot.
local core = require "moonrail.core"
local rows = require "moonrail.rows"
local check = require "moonrail.check"
local classes = require "moonrail.classes"
local plot = require "moonrail.plot"
local shrink = require "moonrail.shrink"

local history_view = {
    { "epoch", "epoch" }, { "step", "step" }, { "loss", "loss", rows.fixed(4) }, { "accuracy", "train", rows.percent },
    { "validation", "validation", rows.percent }, { "lr", "lr", rows.fixed(5) }, { "images_per_second", "img/s", rows.fixed(0) },
    { "seconds", "seconds", rows.fixed(1) }, { "params", "parameters", rows.grouped }, draw = plot.history,
}

-- What trains where the caller names no optimizer.
local function sgd(lr) return core.optim.sgd { lr = lr, momentum = 0.9, nesterov = true, weight_decay = 5e-4 } end

-- Cross-entropy with the labels, or the caller's own loss, mixed with the divergence from the teacher where there is one.
local function loss_of(logits, features, batch, options)
    local plain
    if options.loss then
        plain = options.loss(logits, batch, features)
        if getmetatable(plain) ~= "Tensor" then core.fail("lua.argument", "Model:fit: option 'loss' must give a Tensor, got a " .. type(plain)) end
    else
        plain = core.loss.cross_entropy(logits, batch.y, { smoothing = options.smoothing })
    end
    if not options.teacher then return plain end
    local share = options.distill or 0.7
    local soft = core.loss.kl(logits, options.teacher(batch.x), { temperature = options.temperature or 4 })
    local loss = plain * (1 - share) + soft * share
    if options.features then
        local names = {}
        for name in pairs(features) do names[#names + 1] = name end
        for name, wanted in pairs(options.teacher:features(batch.x, names)) do
            loss = loss + core.loss.mse(features[name], wanted) * (options.features / #names)
        end
    end
    return loss
end

-- What the types of options do not tell: numbers out of range, and options that would do nothing.
local function check_options(options)
    local function refuse(name, reason) core.fail("lua.argument", ("Model:fit: option '%s' %s"):format(name, reason)) end
    local ranges = {
        distill = { 0, 1, "must lie between 0 and 1" }, features = { 0, math.huge, "must not be negative" },
        temperature = { 1e-3, math.huge, "must be at least 0.001" }, smoothing = { 0, 1, "must lie between 0 and 1" },
        checkpoint_every = { 1, math.huge, "must be at least 1" },
    }
    for name, range in pairs(ranges) do
        local value = options[name]
        if value and not (value >= range[1] and value <= range[2] and value < math.huge) then
            refuse(name, ("%s, got %s"):format(range[3], value))
        end
    end
    for _, name in ipairs { "distill", "temperature", "features" } do
        if options[name] and not options.teacher then refuse(name, "needs a teacher") end
    end
    for _, name in ipairs { "checkpoint_every", "resume" } do
        if options[name] and not options.checkpoint then refuse(name, "needs option 'checkpoint', a file") end
    end
    if options.epochs and options.steps then refuse("steps", "and 'epochs' exclude each other") end
end

-- Whether the labels of the data are part of the loss.
local function uses_labels(options) return not options.loss and not (options.teacher and options.distill == 1) end

-- Where the teacher and the model can be compared inside: the taps of the teacher's layers, which compression keeps.
local function common_taps(options)
    if not (options.teacher and options.features) then return {} end
    local taps = {}
    for _, layer in ipairs(options.teacher:layer_rows()) do
        if not layer.classifier then taps[#taps + 1] = layer.tap end
    end
    return taps
end

-- Says so where evaluation, which normalises with running statistics, is right far less often than training, which
-- normalises with those of the batch: too few steps move the running ones too little.
local function compare_with_evaluation(model, batch, trained)
    local has_statistics = false
    for _, name in ipairs(model.parameter_names) do has_statistics = has_statistics or name:find "%.running_var$" end
    if not has_statistics or batch.count < 8 then return end
    local evaluated = core.hits(model(batch.x), batch.y) / batch.count
    if trained - evaluated < 0.2 then return end
    core.warn(("Model:fit: of the last batch the network is right for %s as it trains, and for %s as it is evaluated: the running statistics of its batch norms lag behind; train longer, or call model:reestimate(data)")
        :format(rows.percent(trained), rows.percent(evaluated)))
end

--- Trains `model` in place and returns the history, a row an epoch.
---
--- `?Model:fit` describes the options. Where the loss, a gradient, an update or the outputs behind it are no finite numbers
--- any more, training stops with an error (code "training.diverged") that names step and epoch. The model and its optimizer
--- are then those before the last update, whose loss was a number. A checkpoint is written only of a model whose outputs are
--- numbers, and training goes on from it bit for bit.
function core.methods.Model.fit(model, data, options)
    check.object("Model:fit", 1, "data", data, "Dataset")
    options = check.options("Model:fit", options)
    check_options(options)
    if options.validate then classes.check_same("Model:fit", data, "validate", options.validate) end
    local batches = data.batches
    local total = math.tointeger(options.steps or (options.epochs or 1) * batches)
    if not total or total < 1 then core.fail("lua.argument", "Model:fit: epochs and steps must give a whole number of steps, at least 1") end
    local optimizer = options.optimizer or sgd(0.05)
    local schedule = options.schedule or core.schedule.one_cycle {}
    local state = { step = 0, peak = optimizer.lr, loss = 0.0, correct = 0, images = 0, seconds = 0.0, history = {} }
    if options.resume and options.checkpoint and core.exists(options.checkpoint) then
        state = core.load_checkpoint(options.checkpoint, model, optimizer, { adopts = options.budget ~= nil })
        state.history = state.history.rows or state.history
    end
    local history = rows.wrap(state.history, history_view)
    local taps = common_taps(options)
    local events <close> = options.log and core.event_file(options.log) or nil
    -- The rate is the schedule's only while this runs, also where it ends by an error or by a hook that stops it.
    local rate <close> = setmetatable({}, { __close = function() optimizer.lr = state.peak end })
    local progress <close> = core.progress(options.label or ("training " .. model.name), total)
    progress:advance(state.step)

    -- What the model and its optimizer were when the loss was last a number, and where that was.
    local keep, restore = core.keeper(model, optimizer)
    local kept = "those that training began with"
    local function diverged(epoch, step, reason)
        restore()
        keep(false)
        core.diverged(step, epoch, reason, kept)
    end

    -- Whether the last update left a model that gives numbers, which its loss would only tell at the next step. Gives how
    -- often it was right about the batch as it trains, where it is a classifier.
    local before, after = core.keeper(model, optimizer)
    local proven, right
    local function prove(epoch, batch)
        if proven == state.step or not batch then return right end
        before()
        local outputs = model:forward(batch.x, { taps = taps })
        right = #outputs.shape == 2 and core.hits(outputs, batch.y) / batch.count or nil
        local sum = outputs:sum():item()
        after()
        before(false)
        if sum ~= sum or math.abs(sum) == math.huge then
            diverged(epoch, state.step, "the outputs behind its update are not finite")
        end
        proven = state.step
        return right
    end

    local function save(epoch, batch)
        prove(epoch, batch)
        core.save_checkpoint(options.checkpoint, model, optimizer, state)
    end

    local function end_epoch(epoch, batch)
        local row = {
            epoch = epoch, step = state.step, loss = state.loss / state.images, accuracy = state.correct / state.images,
            lr = optimizer.lr, seconds = state.seconds, images_per_second = state.images / state.seconds,
            params = options.budget and model.cost.params or nil,
        }
        if options.validate then row.validation = model:evaluate(options.validate).accuracy end
        history[#history + 1] = row
        if events then
            events:scalars({
                ["epoch/loss"] = row.loss, ["epoch/accuracy"] = row.accuracy, ["epoch/validation"] = row.validation,
                ["epoch/parameters"] = row.params, ["epoch/images_per_second"] = row.images_per_second,
            }, row.step)
        end
        state.loss, state.correct, state.images, state.seconds = 0.0, 0, 0, 0.0
        if options.checkpoint then save(epoch, batch) end
        return options.on_epoch and options.on_epoch(row)
    end

    local last
    keep()
    while state.step < total do
        local epoch, first = state.step // batches + 1, state.step % batches + 1
        if options.budget and first == 1 then shrink.to_budget(model, data, epoch, optimizer, options, state) end
        for batch in data:epoch(epoch, { start = first }) do
            local start = core.clock()
            local factor = schedule(state.step / total)
            if type(factor) ~= "number" then core.fail("lua.argument", "Model:fit: option 'schedule' must give a number, got a " .. type(factor)) end
            optimizer.lr = state.peak * factor
            local logits, features = model:forward(batch.x, { taps = taps })
            if not last and uses_labels(options) then
                classes.check_outputs("Model:fit", model, data, logits)
                classes.remember(model, data)
            end
            local loss = loss_of(logits, features, batch, options)
            local value = loss:item()
            if value ~= value or math.abs(value) == math.huge then
                diverged(epoch, state.step + 1, value ~= value and "the loss is not a number" or "the loss is infinite")
            end
            keep()
            kept = ("those before the update of step %d, whose loss was %.4g"):format(state.step + 1, value)
            local ok, failure = pcall(optimizer.step, optimizer, loss:backward())
            if not ok then
                local code = type(failure) == "userdata" and failure.code
                if code ~= "training.gradientNotFinite" and code ~= "training.updateNotFinite" then error(failure, 0) end
                diverged(epoch, state.step + 1, failure.message)
            end
            state.step, last = state.step + 1, batch
            state.loss = state.loss + value * batch.count
            state.correct = state.correct + core.hits(logits, batch.y)
            state.images = state.images + batch.count
            state.seconds = state.seconds + core.clock() - start
            if events then events:scalars({ ["step/loss"] = value, ["step/lr"] = optimizer.lr }, state.step) end
            progress:advance(1, ("epoch %d loss %.3f acc %.1f %%"):format(
                epoch, state.loss / state.images, 100 * state.correct / state.images))
            if options.on_step and options.on_step { step = state.step, of = total, loss = value, lr = optimizer.lr } == false then
                keep(false)
                return history
            end
            local every = options.checkpoint_every
            if every and options.checkpoint and state.step % every == 0 and state.step % batches ~= 0 then save(epoch, batch) end
            if state.step >= total then break end
        end
        if end_epoch(epoch, last) == false then break end
    end
    local trained = prove((state.step - 1) // batches + 1, last)
    keep(false)
    if trained and uses_labels(options) then compare_with_evaluation(model, last, trained) end
    progress:finish()
    return history
end

-- For those that train a model at the end of longer work: refuses options before it.
return { check = function(options) check_options(check.options("Model:fit", options)) end, sgd = sgd }
