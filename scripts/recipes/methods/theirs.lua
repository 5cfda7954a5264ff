-- The methods of others: the programs in scripts/peers/methods, their results as models, and their budgets.
local mr = require "moonrail"
local python = require "bench.python"

local theirs = {}

--- The methods in the order of the table, what Python needs for each beyond `common`, and a word for what it is.
theirs.common = { "torch", "numpy", "safetensors", "onnx" }
theirs.list = {
    { name = "svd", title = "SVD, uniform", needs = {} },
    { name = "balf", title = "BALF, re-implemented", needs = {} },
    { name = "alds", title = "ALDS, re-implemented", needs = {} },
    { name = "tucker", title = "Tucker-2, VBMF", needs = {} },
    { name = "cp", title = "CP, TensorLy", needs = { "tensorly" } },
    { name = "pruning", title = "Torch-Pruning", needs = { "torch_pruning" } },
    { name = "int8", title = "int8, ONNX Runtime", needs = { "onnxruntime" } },
}

--- The line that installs packages by the names of their modules.
function theirs.pip_line(modules)
    local names = {}
    for i, name in ipairs(modules) do names[i] = (name:gsub("_", "-")) end
    return "python3 -m venv DIR && DIR/bin/pip install " .. table.concat(names, " ")
end

-- Idle threads of PyTorch do not spin here, which would only take time from others. The time of ONNX Runtime's threads, which is
-- measured, does not hang on that.
local function command(context, program, options)
    local words = { python.command(context.python, "OMP_WAIT_POLICY=passive"), python.quoted(context.programs .. program) }
    for _, pair in ipairs(options) do words[#words + 1] = ("--%s %s"):format(pair[1], python.quoted(tostring(pair[2]))) end
    words[#words + 1] = ("--threads %d"):format(context.threads)
    return table.concat(words, " ")
end

--- Runs a program of scripts/peers/methods and gives the JSON lines that it prints.
function theirs.lines(context, program, options) return python.lines("methods", command(context, program, options)) end

--- Runs the programs' own check, whose lines go where ours go, and gives whether all was right.
function theirs.checked(context, options) return (os.execute(command(context, "check.py", options))) == true end

-- Cuts the model to each of the points' shares and gives the programs' lines, in the same order.
local function cut(context, method, paths, points)
    local texts = {}
    for i, point in ipairs(points) do
        texts[i] = ("%s:%.6g"):format(point.budget == "macs" and "macs" or "params", point.share)
    end
    local lines = theirs.lines(context, "cut.py", {
        { "network", paths.network }, { "images", paths.images }, { "method", method }, { "points", table.concat(texts, ",") },
        { "out", paths.folder }, { "seed", context.seed },
    })
    if #lines ~= #points then error(("methods: %s was asked for %d models and made %d"):format(method, #points, #lines), 0) end
    return lines
end

--- The share of the parameters with which a file probably takes `keep` of the dense file's bytes. What is no parameter, such as
--- the names of nodes, is taken as in a file of `params` and `bytes` that was made before.
function theirs.share_for_bytes(keep, dense, params, bytes)
    local rest = bytes - 4 * params
    return 0.998 * (keep * dense.bytes - rest) / (4 * dense.cost.params)
end

--- Checks that what Python rebuilt of the dense model is that model: as many parameters and multiply-accumulates, and the same
--- results. A comparison of anything else would be none.
function theirs.check_dense(context, model, paths)
    local line = cut(context, "dense", paths, { { budget = "params", share = 1 } })[1]
    local other, images = mr.load(line.file), mr.read_npy(paths.images)
    for _, name in ipairs { "params", "macs" } do
        if line[name] ~= model.cost[name] or other.cost[name] ~= model.cost[name] then
            error(("methods: %s has %d %s here, %d in PyTorch and %d in the file that PyTorch wrote: they are not the same network"):format(
                model.name, model.cost[name], name, line[name], other.cost[name]), 0)
        end
    end
    local expected = model(images)
    local distance = (other(images) - expected):norm() / expected:norm()
    if not (distance < 1e-3) then
        error(("methods: the results of %s in the file that PyTorch wrote are off by %.2g"):format(model.name, distance), 0)
    end
end

-- Cuts the model to the shares of the points and gives each its `model`, with `bytes`, those of its file; or `least`.
local function make(context, method, paths, points)
    for i, line in ipairs(cut(context, method, paths, points)) do
        local point = points[i]
        point.least, point.seconds = line.least, line.seconds
        if line.file then
            point.model = mr.load(line.file)
            os.remove(line.file)
            local path = context.write(point.model, paths.folder, method .. "-try")
            point.bytes = mr.model_size(path)
            os.remove(path)
        end
    end
end

-- Of the points that have a model the one whose budget is nearest to that of `point`.
local function nearest(points, point)
    local best
    for _, other in ipairs(points) do
        if other.model and (not best or math.abs(other.keep - point.keep) < math.abs(best.keep - point.keep)) then best = other end
    end
    return best
end

-- For budgets of bytes the share of the parameters is found by making models: the first share from a model of another budget, the next
-- ones from the model before, where that took too many bytes.
local function make_within_bytes(context, method, paths, dense, points, others)
    for _, point in ipairs(points) do
        local other = nearest(others, point)
        point.share = other and theirs.share_for_bytes(point.keep, dense, other.model.cost.params, other.bytes) or point.keep
    end
    for _ = 1, 4 do
        local open, again = {}, {}
        for _, point in ipairs(points) do if point.share > 0 then open[#open + 1] = point end end
        if #open == 0 then return end
        make(context, method, paths, open)
        for _, point in ipairs(open) do
            if point.model and point.bytes > point.keep * dense.bytes then
                point.share = theirs.share_for_bytes(point.keep, dense, point.model.cost.params, point.bytes)
                point.model, again[#again + 1] = nil, point
            end
        end
        points = again
    end
end

--- The models that a method makes for `points` { budget, keep }: each point gets `model`, or `least`, the share below which the method
--- cannot get, or neither, where it has no model of so few bytes.
function theirs.cut_all(context, method, paths, dense, points)
    local by_share, by_bytes = {}, {}
    for _, point in ipairs(points) do
        local list = point.budget == "bytes" and by_bytes or by_share
        point.share, list[#list + 1] = point.keep, point
    end
    if #by_share > 0 then make(context, method, paths, by_share) end
    if #by_bytes > 0 then make_within_bytes(context, method, paths, dense, by_bytes, by_share) end
end

return theirs
