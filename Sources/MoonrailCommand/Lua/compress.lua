-- `moonrail compress`: loads model and images, hands them to mr.compress, and prints what came of it.
-- A recipe of your own can begin as a copy of this; the command's options arrive as one table.
local mr = require "moonrail"
local core = require "moonrail.core"
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

-- Loading takes long enough to know first whether there is a place for the result.
core.check_output(options.out, options.force)
mr.seed(1)
local model = mr.load(options.model)
local train, test
if options.data then train, test = images(model) end
local labelled = train and not options.unlabelled and #train.classes > 1

-- What says better than the library which of the command's options stands in the way.
if train then
    local results = { model(train:take(1):epoch()().x) }
    local has_classes = #results == 1 and #results[1].shape == 2
    if labelled and has_classes and #train.classes > results[1].shape[2] then
        error(("--data: %d classes of images are more than the model's %d outputs: add --unlabelled"):format(#train.classes, results[1].shape[2]), 0)
    end
    if labelled and not has_classes then error("the model's result is no class for each image: add --unlabelled", 0) end
    if options.tune > 0 and not has_classes then
        error("--tune is for models that give a class for each image; without it the images still repair the model", 0)
    end
end

-- What the policy wants to know first. Without a policy the images choose one, or the weights where there are none.
local function planning(policy)
    local measure = ({ features = true, proxy = true, output = true, sensitivity = true })[policy]
    local scored = policy and policy:find "^lwiq"
    local needs = measure and "measures layers on" or scored and "scores layers by" or policy == "portfolio" and "chooses by"
    if needs and not train then error(("the policy %s %s images: give --data, or take another"):format(policy, needs), 0) end
    if (scored or policy == "proxy" or policy == "sensitivity") and not labelled then
        error(("the policy %s needs labels; barrier, features and output do without"):format(policy), 0)
    end
    local whiten = options.whiten and train or nil
    return {
        scores = scored and mr.lwiq.score(model, train, { images = math.min(2560, #train) }) or nil,
        curves = measure and mr.sensitivity(model, train, { measure = policy, whiten = whiten }) or nil,
        whiten = whiten, policy = policy, align = options.align, budget = { params = options.keep },
    }
end

local small, report = mr.compress(model, {
    plan = planning(options.policy), data = train, test = test, labels = not options.unlabelled,
    distill_seconds = options.distill, tune = options.tune > 0 and { steps = options.tune, lr = options.lr, label = "tuning" } or nil,
    out = options.out, overwrite = options.force,
})
print(report.plan)
print()
print(report)

local function measured(name, candidate, cost, bytes)
    return {
        name = name, params = cost.params, macs = cost.macs, bytes = bytes,
        latency_ms = candidate:latency { batch = 1, runs = 50 }.ms,
    }
end
local dense = measured("dense", model, report.dense, mr.model_size(options.model))
local compressed = measured("compressed", small, report.model, report.model.bytes)
if labelled then
    dense.accuracy, compressed.accuracy = model:evaluate(test, { label = "evaluating dense" }).accuracy, report.tests.file
end
print()
print(mr.compare { dense, compressed })
if test then
    print(("%s on %d images held out: %.2f %%"):format(
        labelled and "accuracy" or "agreement with the dense model", #test, 100 * report.tests.file))
end
print("wrote " .. options.out)
