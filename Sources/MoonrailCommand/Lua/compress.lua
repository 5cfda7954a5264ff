-- `moonrail compress`: load, score where there are labels, plan, compress, re-estimate, tune, report, write.
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
    return core.exists(directory .. "/" .. name) or core.exists(directory .. "/" .. name .. ".gz")
end

-- Training and test images, normalised alike. Where the data have no test images of their own, a tenth of the training
-- images is held out.
local function images(model)
    local where, mean, std = options.data, numbers(options.mean), numbers(options.std)
    if where == "fashion_mnist" then
        if mean or std then error("fashion_mnist has its own mean and deviation; leave --mean and --std out", 0) end
        return mr.data.fashion_mnist { batch = 128 }
    end
    if not core.exists(where) then
        error(("--data: '%s' is neither fashion_mnist nor a directory or an .npz file"):format(where), 0)
    end
    local pair = { dir = where, batch = 128, mean = mean, std = std }
    if there(where, "train-images-idx3-ubyte") then return mr.data.mnist(pair) end
    if there(where, "data_batch_1.bin") then return mr.data.cifar10(pair) end
    if there(where, "train.bin") then return mr.data.cifar100(pair) end
    local all
    if where:find "%.npz$" then
        all = mr.data.npz(where, { batch = 64, mean = mean, std = std })
    else
        local shape = model.input_shape
        if #shape ~= 3 then error("--data: the model's input is no image, so a directory of pictures does not fit it", 0) end
        all = mr.data.folder {
            dir = where, size = { shape[2], shape[3] }, channels = shape[1], batch = 64, mean = mean, std = std,
        }
    end
    if #all < 20 then error(("--data: %d images are too few; 20 are the least"):format(#all), 0) end
    local test, train = all:divide(#all // 10)
    return train:with { shuffle = true, seed = 1 }, test
end

local function measured(name, model, path, test)
    return {
        name = name, params = model.cost.params, macs = model.cost.macs, bytes = mr.file_size(path),
        accuracy = test and model:evaluate(test, { label = "evaluating " .. name }).accuracy,
        latency_ms = model:latency { batch = 1, runs = 50 }.ms,
    }
end

mr.seed(1)
local model = mr.load(options.model)
local train, test
if options.data then train, test = images(model) end
local policy = options.policy or (train and "lwiq" or "uniform")
local scores
if policy:find "^lwiq" then
    if not train then error(("the policy %s scores layers by images: give --data, or take --policy uniform"):format(policy), 0) end
    scores = mr.lwiq.score(model, train, { images = math.min(2560, #train) })
end
local plan = mr.plan(model, { scores = scores, budget = { params = options.keep }, policy = policy })
print(plan)

local dense = measured("dense", model, options.model, test)
local small = model:compress(plan)
local raw = test and small:evaluate(test, { label = "evaluating as cut" }).accuracy
if train then
    -- Layers with batch normalisation behind them by re-estimating it, the others by their channels' means and variances.
    small = core.repair(small, model, train, math.min(512, #train))
    small:reestimate(train, { images = math.min(2048, #train) })
end
if options.tune > 0 then
    small:fit(train, {
        steps = options.tune, teacher = model, label = "tuning",
        optimizer = mr.optim.sgd { lr = 0.02, momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
        schedule = mr.schedule.cosine { warmup = 0.1 },
    })
end
small:note("plan", { policy = plan.policy, keep_params = plan.keep_params, keep_macs = plan.keep_macs })
if test then small:note("accuracy", small:evaluate(test, { label = "evaluating" }).accuracy) end
small:save(options.out)

-- What counts is the file: it is loaded again, and that is measured.
local row = measured("compressed", mr.load(options.out), options.out, test)
row.accuracy_raw = raw
print()
print(mr.compare { dense, row })
print("wrote " .. options.out)
