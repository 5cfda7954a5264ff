-- The module `moonrail`: what Swift offers and what the standard library makes of it.
local core = require "moonrail.core"
local rows = require "moonrail.rows"
local report = require "moonrail.report"
local check = require "moonrail.check"

local mr = {
    version = core.version,
    -- the session
    seed = core.seed, threads = core.threads, memory = core.memory, clock = core.clock,
    -- tensors
    tensor = core.tensor, zeros = core.zeros, ones = core.ones, randn = core.randn, rand = core.rand,
    arange = core.arange, randperm = core.randperm, eye = core.eye, cat = core.cat,
    -- models, data, training
    load = core.load, zoo = core.zoo, nn = require "moonrail.nn", data = core.data,
    tape = core.tape, grad = require "moonrail.grad", loss = core.loss, optim = core.optim, schedule = core.schedule,
    tt = core.tt,
    groupings = core.groupings, formats = core.formats, policies = core.policies,
    -- files and results
    make_directory = core.make_directory, write_text = core.write_text, write_json = core.write_json, json = core.json,
    read_npy = core.read_npy, write_npy = core.write_npy, read_npz = core.read_npz, write_npz = core.write_npz,
    read_safetensors = core.read_safetensors, write_safetensors = core.write_safetensors, read_idx = core.read_idx,
    read_picture = core.read_picture, read_text = core.read_text, exists = core.exists,
    read_json = core.read_json, read_csv = require "moonrail.csv", file_size = core.file_size, model_size = core.model_size, progress = core.progress, events = core.event_file,
    rows = rows.wrap, iter = require "moonrail.iter".from, args = require "moonrail.args", compare = require "moonrail.compare",
    compress = require "moonrail.compress",
    report = report.make, sweep = require "moonrail.sweep",
}

-- A call that gives training and test data, put straight into the arguments, is taken for its first.
local function beside_data(options)
    if getmetatable(options) ~= "Dataset" then return options end
end

mr.lwiq = {
    --- Scores every weighted layer of `model` but the classifier on images of `data`.
    score = function(model, data, options) return report.scores(core.score(model, data, beside_data(options))) end,
}

--- Measures what each layer alone loses when it is replaced by its chain at a few ranks.
function mr.sensitivity(model, data, options) return report.curves(core.sensitivity(model, data, beside_data(options))) end

--- Chooses ranks for every layer within a budget: a table of rows that can be edited and given to `model:compress`.
function mr.plan(model, options) return report.plan(core.plan(model, options)) end

--- What each rank of each bond leaves out: rows with bond, rank, error and singular_value.
function core.methods.TensorTrain.curve(train)
    return rows.wrap(train:curve_rows(), {
        title = tostring(train),
        { "bond", "bond" }, { "rank", "rank" }, { "error", "error", rows.fixed(6) },
        { "singular_value", "singular value", rows.fixed(6) },
    })
end

require "moonrail.groups"
require "moonrail.fit"
require "moonrail.finetune"
require "moonrail.stages"
require "moonrail.evaluate"
require "moonrail.compile"
require "moonrail.edit"

-- The row of a layer shows its weight, but is no place to change it.
local function layer_row(row)
    local weight, parameter = row.weight, row.parameter
    row.weight, row.parameter = nil, nil
    return setmetatable(row, {
        __index = function(_, key) if key == "weight" then return weight end end,
        __newindex = function(_, key)
            local how = key == "weight" and (': model:set_parameter("%s", tensor) does'):format(parameter) or ""
            core.fail("lua.argument", ("a row of model.layers says what the layer is; setting its '%s' changes nothing%s"):format(tostring(key), how))
        end,
        __members = { weight = true },
    })
end

--- The weighted layers of a model: rows that are also found by name, `model.layers["stage1.block1.conv1"]`.
function core.getters.Model.layers(model)
    local list = model:layer_rows()
    for _, row in ipairs(list) do layer_row(row) end
    return rows.wrap(list, {
        title = model.name,
        { "name", "layer" }, { "shape", "weight", rows.extents }, { "params", "parameters", rows.grouped },
        { "macs", "MMACs", function(v) return ("%.3f"):format(v / 1e6) end }, { "parent", "after" }, { "tap", "tap" },
    })
end

--- Where the time goes: rows per layer with ms, share, gflops and the kernel's name, for a batch of `batch` (1).
function core.methods.Model.profile(model, batch)
    local profile = model:profile_rows(batch)
    local total = 0
    for _, row in ipairs(profile) do total = total + row.ms end
    return rows.wrap(profile, {
        title = ("%s, batch %d, %d thread(s): %.3f ms"):format(model.name, batch or 1, core.threads(), total),
        { "name", "layer" }, { "op", "operation" }, { "shape", "output", rows.extents }, { "ms", "ms", rows.fixed(4) },
        { "share", "share", rows.percent }, { "gflops", "GFLOP/s", rows.fixed(1) }, { "implementation", "kernel" },
    })
end

for name, module in pairs(mr) do
    -- Lists of names, such as mr.policies, are none.
    if type(module) == "table" and module[1] == nil then check.strict("mr." .. name, module) end
end

return check.strict("mr", mr)
