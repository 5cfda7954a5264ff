-- Valid arguments, by the types and the names that the description of the API gives them, so that a hostile value beside
-- them gets as far as the code that it is for. Everything is as small as it can be.
local mr = require "moonrail"

local subjects = {}
local kept = {}

--- Forgets what was made, so that a batch of calls does not depend on those before it.
function subjects.reset()
    kept = {}
    mr.seed(1)
    local x = mr.ones(8, 1, 6, 6)
    mr.write_npy("in.npy", x)
    mr.write_npz("in.npz", { images = x, labels = mr.arange(8) })
    mr.write_safetensors("in.safetensors", { a = x })
    mr.write_text("in.csv", "name,value\na,1\n")
    mr.write_text("in.json", '{"a": [1, 2.5, null, "x"]}')
    mr.zoo.mlp({ hidden = { 2 }, image = { 1, 2, 2 }, classes = 2 }):save "in.onnx"
end

local function once(name, make)
    return function()
        if kept[name] == nil then kept[name] = make() end
        return kept[name]
    end
end

-- MARK: Objects by class

local function image() return { 1, 6, 6 } end

local network = once("network", function()
    local nn = mr.nn
    return nn.sequential {
        name = "small", seed = 1, image = image(), nn.conv { channels = 4, kernel = 3, padding = 1, name = "a" },
        nn.batch_norm { name = "bn" }, nn.relu(), nn.conv { channels = 6, kernel = 3, padding = 1, name = "b" }, nn.relu(),
        nn.global_avg_pool(), nn.flatten(), nn.linear { features = 2, name = "fc" },
    }
end)

local function labels() return mr.tensor({ 1, 2, 1, 2, 1, 2, 1, 2 }, { dtype = "int64" }) end
local data = once("data", function() return mr.data.from_tensors(mr.randn(8, 1, 6, 6), labels(), { batch = 4 }) end)
local plan = once("plan", function() return mr.plan(network(), { budget = { params = 0.7 }, policy = "uniform" }) end)
local scores = once("scores", function() return mr.lwiq.score(network(), data(), { images = 8, moments = true }) end)
local curves = once("curves", function() return mr.sensitivity(network(), data(), { images = 4, formats = "C·Kh·Kw|O" }) end)
local small = once("small", function() return network():compress(plan()) end)

local function copied(list)
    local copy = setmetatable({}, getmetatable(list))
    for key, value in pairs(list) do
        if type(value) == "table" then
            local row = {}
            for name, field in pairs(value) do row[name] = field end
            value = row
        end
        rawset(copy, key, value)
    end
    return copy
end

local function list_of_rows()
    return mr.rows { { name = "a", value = 1, x = 2 }, { name = "b", value = 0.5, x = 3 }, { name = "c", value = 2, layer = "b" } }
end

local classes = {
    Tensor = function() return mr.ones(3, 3) end, Model = function() return network():clone() end, Dataset = data, Tape = mr.tape,
    Optimizer = function() return mr.optim.sgd { lr = 0.1, momentum = 0.9 } end, Layer = function() return mr.nn.relu() end,
    TensorTrain = function() return mr.tt.decompose(mr.ones(3, 4, 5), { ranks = 2 }) end,
    TTMatrix = function() return mr.tt.matrix(mr.ones(6, 6), { ranks = 2 }) end,
    TTConvolution = function() return mr.tt.tensorized_convolution(mr.ones(4, 4, 3, 3), { ranks = 2 }) end,
    Gradients = function() return network():clone():forward(mr.ones(2, 1, 6, 6)):sum():backward() end,
    Rows = list_of_rows, Iterator = function() return mr.iter { 1, 2, 3 } end, Moments = function() return scores().moments end,
    Progress = function() return mr.progress("bar", 3) end, EventFile = function() return mr.events "events" end,
    Report = function()
        return mr.report { title = "t", models = { { name = "a", params = 9, accuracy = 0.5 }, { name = "b", params = 5, accuracy = 0.4 } } }
    end,
}
subjects.classes = classes

--- Receivers of methods that want another one than the rest of the class.
subjects.receivers = {
    ["Tensor:item"] = function() return mr.ones(1) end, ["Tensor:solve"] = function() return mr.eye(3) end,
    ["Tensor:eigh"] = function() return mr.eye(3) end,
    ["Tensor:backward"] = function() return (mr.tape():watch(mr.ones(3)) * 2):sum() end,
    ["Model:finetune"] = function() return small():clone() end, ["Model:refit"] = function() return small():clone() end,
    ["Model:repair"] = function() return small():clone() end, ["Model:distill"] = function() return small():clone() end, ["Model:recompose"] = function() return small():clone() end,
}

--- How many arguments stand for "…", where three do not fit.
subjects.rest = {
    ["Tensor:reshape"] = 2, ["Tensor:permute"] = 2, ["Tensor:expand"] = 2, ["Value:reshape"] = 2, ["Value:permute"] = 4, ["mr.iter"] = 1,
}

-- MARK: Values by the name of the argument or the option; with the function in front where another one has another

local function constant(value) return function() return value end end

local named = {
    path = constant "out.json", dir = constant "none", directory = constant "events", text = constant "x", name = constant "a.weight",
    names = function() return { "a", "b" } end, label = constant "bar", note = constant "n", group = constant "g", log = constant "runs",
    layers_per_block = constant(1), script = constant "s.lua", title = constant "t", on = constant "name", by = constant "name", key = constant "value",
    image = image, classes = function() return { "x", "y" } end, hidden = function() return { 4 } end, depth = constant(8),
    kernel = constant(3), stride = constant(1), padding = constant(1), dilation = constant(1), channels = constant(4),
    groups = constant(1), features = constant(2), window = constant(2), size = constant(2), factor = constant(2), shape = image,
    width = constant(6), epochs = constant(1), steps = constant(2), batch = constant(2), images = constant(8), seed = constant(1),
    runs = constant(1), count = constant(2), total = constant(3), dim = constant(1), first = constant(1), last = constant(2),
    step = constant(1), low = constant(0), high = constant(1), lr = constant(0.01), momentum = constant(0.5),
    weight_decay = constant(1e-4), betas = function() return { 0.9, 0.99 } end, eps = constant(1e-8), budget = constant { params = 0.7 },
    policy = constant "uniform", formats = constant "C·Kh·Kw|O", grouping = constant "C·Kh·Kw|O", freeze = function() return { "a" } end, plan = function() return copied(plan()) end,
    scores = function() return copied(scores()) end, curves = function() return copied(curves()) end,
    fix = function() return { b = 2 } end, min_rank = constant(1), max_rank = constant(3), align = constant(2), ranks = constant(2),
    error = constant(0.1), keep = constant(0.5), rows = function() return { 2, 3 } end, columns = function() return { 2, 3 } end,
    inputs = function() return { 2, 2 } end, outputs = function() return { 2, 2 } end, order = constant(2), modes = function() return { 3, 3, 3 } end,
    mean = function() return { 0.5 } end, std = function() return { 0.5 } end, augment = function() return { "flip" } end,
    weight = function() return mr.ones(4, 4, 3, 3) end, labels = labels, smoothing = constant(0.1), temperature = constant(2),
    holdout = constant(0.5), embedding = constant(8), floor = constant(0), rise = constant(0.3), start = constant(0.1),
    warmup = constant(0.1), milestones = function() return { 0.5 } end, to = constant(0.5), from = constant(1), stages = constant(2),
    ridge = constant(1e-3), layers = function() return { "b" } end, measure = constant "output", precision = constant "float32",
    head = constant "imprint", elements = function() return function(i) return 1 / i:sum(2) end end, f = function() return function(x) return x:sum() end end,
    build = function() return function(x) return x end end, changes = function() return { b = function(x, keep) return keep(x) end } end,
    models = function() return { { name = "a", params = 9, accuracy = 0.5 } } end, plans = function() return { copied(plan()) } end,
    histories = function() return { { epoch = 1, loss = 1 } } end, recipe = function() return { a = 1 } end, points = function() return { { a = 1 } } end,
    entries = function() return { { name = "a", params = 1, accuracy = 1 } } end, list = function() return { { a = 1 } } end,
    view = function() return { { "a", "a" } } end, defaults = function() return { z = 1 } end, values = function() return { 1, 2 } end,
    tensors = function() return { a = mr.ones(2, 2) } end, settings = function() return { a = 1 } end, metadata = function() return { a = "b" } end,
    source = function() return { 1, 2 } end, value = function() return { 1 } end, fold = function() return function(a, b) return b or a end end,
    change = function() return function(x) return x end end, optimizer = classes.Optimizer, dense = network, teacher = network,
    shortcut = classes.Layer, data = data, validate = data, latency_batch = constant(1), height = constant(6), number = constant(12),
    checkpoint = constant "c.safetensors", checkpoint_every = constant(1), schedule = function() return mr.schedule.one_cycle() end,
    loss = function() return function(logits, batch) return mr.loss.cross_entropy(logits, batch.y) end end, probability = constant(0.5),
    on_step = function() return function() end end, on_epoch = function() return function() end end, dimensions = constant(1),
    epoch = constant(1), x = function() return mr.ones(2, 6) end, indices = function() return { 1, 2 } end, extent = constant(3), other = function() return { 1, 2 } end,
    cores = function() return { mr.ones(1, 3, 2), mr.ones(2, 3, 1) } end, right = function() return mr.ones(3) end,
    ["Tensor:matmul.other"] = function() return mr.ones(3, 3) end, ["Tensor:eq.other"] = constant(1), ["Tensor:lt.other"] = constant(1),
    ["Tensor:le.other"] = constant(1), ["Tensor:maximum.other"] = constant(1), ["Tensor:minimum.other"] = constant(1),
    ["TensorTrain:dot.other"] = function() return classes.TensorTrain() end, ["Rows:join.other"] = list_of_rows, ["Tensor:reshape.extent1"] = constant(9),
    ["Tensor:reshape.extent2"] = constant(1), ["Tensor:permute.extent1"] = constant(2), ["Tensor:permute.extent2"] = constant(1),
    ["Value:reshape.extent1"] = constant(12), ["Value:reshape.extent2"] = constant(12), ["Value:permute.extent1"] = constant(1),
    ["Value:permute.extent2"] = constant(3), ["Value:permute.extent4"] = constant(4), ["Value:mean.dim"] = constant(2),
    ["Value:permute.extent3"] = constant(2), ["Value:sum.dim"] = constant(2), ["Value:slice.dim"] = constant(2),
    ["mr.load.path"] = constant "in.onnx", ["mr.read_csv.path"] = constant "in.csv", ["mr.read_json.path"] = constant "in.json",
    ["mr.read_npy.path"] = constant "in.npy", ["mr.read_npz.path"] = constant "in.npz", ["mr.read_text.path"] = constant "in.csv",
    ["mr.read_safetensors.path"] = constant "in.safetensors", ["mr.data.npz.path"] = constant "in.npz", ["mr.data.npz.images"] = constant "images",
    ["mr.data.npz.labels"] = constant "labels", ["mr.data.npz.classes"] = function() return { "a", "b", "c", "d", "e", "f", "g", "h", "i" } end,
    ["mr.make_directory.path"] = constant "directory", ["mr.model_size.path"] = constant "in.onnx", ["mr.data.folder.channels"] = constant(3),
    ["mr.zoo.mobilenet_v2.image"] = function() return { 1, 32, 32 } end,
    ["mr.cat.tensors"] = function() return { mr.ones(3, 3), mr.ones(3, 3) } end, ["mr.data.folder.size"] = function() return { 2, 2 } end,
    ["mr.data.from_tensors.images"] = function() return mr.ones(8, 1, 6, 6) end, ["mr.tt.matrix.weight"] = function() return mr.ones(6, 6) end,
    ["mr.loss.cross_entropy.labels"] = function() return mr.tensor({ 1, 2, 1 }, { dtype = "int64" }) end,
    ["mr.zoo.resnet.image"] = function() return { 1, 8, 8 } end, ["mr.zoo.vgg.depth"] = constant(11), ["mr.zoo.vgg.image"] = function() return { 1, 32, 32 } end,
    ["mr.zoo.mobilenet_v2.width"] = constant(0.25), ["mr.zoo.lenet5.image"] = function() return { 1, 28, 28 } end, ["weights"] = constant "none",
    ["mr.zoo.resnet.classes"] = constant(2), ["mr.zoo.vgg.classes"] = constant(2), ["mr.zoo.mobilenet_v2.classes"] = constant(2),
    ["mr.zoo.lenet5.classes"] = constant(2), ["mr.zoo.mlp.classes"] = constant(2), ["mr.nn.sequential.name"] = constant "x",
    ["TTConvolution:apply.x"] = function() return mr.ones(2, 4, 6, 6) end, ["Optimizer:step.gradients"] = classes.Gradients,
    ["Optimizer:update.parameters"] = function() return { a = mr.ones(2) } end, ["Optimizer:update.gradients"] = function() return { a = mr.ones(2) } end,
    ["Gradients:of.source"] = network, ["Rows:group.by"] = function() return { "name", "x" } end, ["Rows:filter.keep"] = function() return function() return true end end,
    ["Iterator:filter.keep"] = function() return function() return true end end, ["EventFile:scalars.values"] = function() return { x = 1 } end,
    ["TensorTrain:orthogonalize.core"] = constant(2), ["TTMatrix:apply.order"] = constant "auto", ["Model:fit.features"] = constant(0.1),
    ["Model:finetune.features"] = constant(0.1), ["Model:compress_in_stages.features"] = constant(0.1), ["Model:fit.plan"] = function() return {} end,
    ["Model:finetune.plan"] = function() return {} end, ["Model:fit.budget"] = function() return function() return 0.8 end end,
    ["Model:finetune.budget"] = function() return function() return 0.8 end end, ["Model:compress_in_stages.order"] = constant "error",
    ["Model:edit.outputs"] = function() return { "fc" } end, ["Model:compile.data"] = data, ["Model:set_parameter.tensor"] = function() return mr.ones(4, 1, 3, 3) end,
    ["mr.compress.repairs"] = function() return { "refit" } end, ["mr.compress.out"] = constant "out.onnx", ["mr.compress.tune"] = constant(1),
    ["mr.compress.judge"] = constant(2), ["mr.compress.test"] = data, ["mr.compress.images"] = constant(8),
    ["mr.compare.data"] = data, ["mr.events.directory"] = constant "events", ["mr.zoo.vit.image"] = function() return { 1, 14, 14 } end,
    ["mr.zoo.vit.width"] = constant(8), ["mr.zoo.vit.classes"] = constant(2), ["mr.zoo.mlp.hidden"] = function() return { 4 } end,
    ["Model:distill.seconds"] = constant(0.05), ["Model:distill.steps"] = constant(1), ["mr.compress.distill_seconds"] = constant(0.05),
    ["mr.plan.data"] = data, ["mr.plan.images"] = constant(8),
}

-- The tensors that a model gets are images.
local function images_of_a_model() return mr.ones(2, 1, 6, 6) end

--- A maker of a valid value for a parameter of a function, from their names and the parameter's type; nil where there is none.
function subjects.maker(where, name, kind)
    local own = named[where .. "." .. name]
    if own then return own end
    if kind:find "^boolean" then return constant(true) end
    if name == "images" and kind:find "^Tensor" then return images_of_a_model end
    local class = kind:match "^(%u%w*)"
    if class and class ~= "Tensor" and classes[class] then return classes[class] end
    local common = named[name:match "^(.-)%d*$"]
    if common then return common end
    if class == "Tensor" then return classes.Tensor end
    local word = kind:match '^"([^"]*)"'
    if word then return constant(word) end
    if kind:find "^integer%[%]" or kind:find "^number%[%]" then return function() return { 1 } end end
    if kind:find "^integer" or kind:find "^number" then return constant(1) end
    if kind:find "^string%[%]" then return function() return { "a" } end end
    if kind:find "^string" then return constant "a" end
    if kind:find "^function" then return function() return function(...) return ... end end end
    if kind:find "^table" then return function() return {} end end
    return nil
end

return subjects
