-- `moonrail compress`: load, plan, compress, repair, tune, report, write.
-- A recipe of your own can begin as a copy of this; the command's options arrive as one table.
local mr = require "moonrail"
local options = ...

local function numbers(text)
    if not text then return nil end
    local list = {}
    for word in text:gmatch "[^,%s]+" do
        list[#list + 1] = tonumber(word) or error(("--mean and --std are numbers with commas between, got '%s'"):format(text), 0)
    end
    return list
end

local function there(directory, name)
    return mr.exists(directory .. "/" .. name) or mr.exists(directory .. "/" .. name .. ".gz")
end

-- Training and test images, normalised alike. Where the data have no test images of their own, a tenth of the training
-- images is held out.
local function images(model)
    local where, mean, std = options.data, numbers(options.mean), numbers(options.std)
    if where == "fashion_mnist" then
        if mean or std then error("fashion_mnist has its own mean and deviation; leave --mean and --std out", 0) end
        return mr.data.fashion_mnist { batch = 128 }
    end
    if not mr.exists(where) then
        error(("--data: '%s' is neither fashion_mnist nor a directory or an .npz file"):format(where), 0)
    end
    local pair = { dir = where, batch = 128, mean = mean, std = std }
    if there(where, "train-images-idx3-ubyte") then return mr.data.mnist(pair) end
    if there(where, "data_batch_1.bin") then return mr.data.cifar10(pair) end
    if there(where, "train.bin") then return mr.data.cifar100(pair) end
    local all
    if where:find "%.npz$" then
        all = mr.data.npz(where, { batch = 64, mean = mean, std = std, labels = not options.unlabelled and "labels" })
    else
        local shape = model.input_shape
        if #shape ~= 3 then error("--data: the model's input is no image, so a directory of pictures does not fit it", 0) end
        all = mr.data.folder {
            dir = where, size = { shape[2], shape[3] }, channels = shape[1], batch = 64, mean = mean, std = std,
            skip_damaged = options.skip_damaged,
        }
    end
    if #all < 20 then error(("--data: %d images are too few; 20 are the least"):format(#all), 0) end
    local test, train = all:divide(#all // 10)
    return train:with { shuffle = true, seed = 1 }, test
end

-- How often two models name the same class; for results that are no row of classes for each image, such as maps or
-- boxes, how much of them is alike: 1 less the norm of the difference by the norm. A row with a not-a-number names no class,
-- and results with one are like nothing, so neither is ever agreement.
local function agreement(one, other, data)
    local progress, same, apart, whole, has_classes = mr.progress("comparing", #data), 0, 0, 0, false
    for batch in data:with { shuffle = false, augment = {}, drop_last = false }:epoch() do
        local ours, theirs = { one(batch.x) }, { other(batch.x) }
        if #theirs == 1 and #theirs[1].shape == 2 then
            has_classes = true
            -- The largest of a row is a not-a-number where one is in it, which equals nothing, not even itself.
            local ours_tell, theirs_tell = ours[1]:max(2), theirs[1]:max(2)
            local tells = ours_tell:eq(ours_tell) * theirs_tell:eq(theirs_tell)
            same = same + (ours[1]:argmax():eq(theirs[1]:argmax()):to "float32" * tells):sum():item()
        else
            for i, wanted in ipairs(theirs) do
                apart, whole = apart + (ours[i] - wanted):norm() ^ 2, whole + wanted:norm() ^ 2
            end
        end
        progress:advance(batch.count)
    end
    progress:finish()
    if has_classes then return same / #data end
    if apart == 0 then return 1 end
    local alike = 1 - math.sqrt(apart / whole)
    return alike == alike and alike or 0
end

mr.seed(1)
local model = mr.load(options.model)
local train, test
if options.data then train, test = images(model) end
local labelled = train and not options.unlabelled and #train.classes > 1

-- Labels and tuning are for models that give a row of classes for each image.
local function check_result(batch)
    local results = { model(batch.x) }
    if #results == 1 and #results[1].shape == 2 then
        local outputs = results[1].shape[2]
        if labelled and #train.classes > outputs then
            error(("--data: %d classes of images are more than the model's %d outputs: add --unlabelled"):format(#train.classes, outputs), 0)
        end
        return
    end
    if labelled then error("the model's result is no class for each image: add --unlabelled", 0) end
    if options.tune > 0 then
        error("--tune is for models that give a class for each image; without it the images still repair the model", 0)
    end
end

if train then
    for batch in train:take(1):epoch() do check_result(batch) end
end

-- The accuracy on images that were held out, or without labels the agreement with the dense model.
local function quality(candidate, name)
    if labelled then return candidate:evaluate(test, { label = "evaluating " .. name }).accuracy end
    return test and agreement(candidate, model, test)
end

local function measured(name, candidate, path)
    return {
        name = name, params = candidate.cost.params, macs = candidate.cost.macs, bytes = mr.model_size(path),
        accuracy = labelled and quality(candidate, name) or nil,
        latency_ms = candidate:latency { batch = 1, runs = 50 }.ms,
    }
end

-- What the policy wants to know first.
local function measurements(policy)
    local measure = ({ features = true, proxy = true, output = true, sensitivity = true })[policy]
    local scored = policy:find "^lwiq"
    local needs = measure and "measures layers on" or scored and "scores layers by"
    if needs and not train then error(("the policy %s %s images: give --data, or take another"):format(policy, needs), 0) end
    if needs and policy ~= "features" and policy ~= "output" and not labelled then
        error(("the policy %s needs labels; quadratic, features and output do without"):format(policy), 0)
    end
    local whiten = options.whiten and train or nil
    return {
        scores = scored and mr.lwiq.score(model, train, { images = math.min(2560, #train) }) or nil,
        curves = measure and mr.sensitivity(model, train, { measure = policy, whiten = whiten }) or nil,
        whiten = whiten, policy = policy, align = options.align, budget = { params = options.keep },
    }
end

local plan = mr.plan(model, measurements(options.policy or "quadratic"))
print(plan)

local dense = measured("dense", model, options.model)
local small = model:compress(plan)
local stages, reached = {}, nil
local function stage(name)
    reached = quality(small, name)
    stages[#stages + 1] = reached and ("%s %.2f %%"):format(name, 100 * reached)
end
stage "as cut"
if train then
    -- The last factors give the outputs that the dense layers gave, as nearly as they can; then every channel gets its
    -- mean and variance back.
    small:refit(model, train)
    small:repair(model, train)
    small:reestimate(train)
    stage "repaired"
end
if options.tune > 0 then
    small:fit(train, {
        steps = options.tune, teacher = model, distill = not labelled and 1 or nil, label = "tuning",
        optimizer = mr.optim.sgd { lr = 0.02, momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
        schedule = mr.schedule.cosine { warmup = 0.1 },
    })
    stage "tuned"
end
small:note("plan", { policy = plan.policy, keep_params = plan.keep_params, keep_macs = plan.keep_macs })
if test then small:note(labelled and "accuracy" or "agreement", reached) end
small:save(options.out)

-- What counts is the file: it is loaded again, and that is measured.
print()
print(mr.compare { dense, measured("compressed", mr.load(options.out), options.out) })
if test then
    print(("%s on %d images held out: %s"):format(
        labelled and "accuracy" or "agreement with the dense model", #test, table.concat(stages, ", ")))
end
print("wrote " .. options.out)
