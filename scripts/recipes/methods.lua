-- Other people's compression methods beside Moonrail's default, on the same trained networks and at equal budgets.
-- `scripts/bench methods` calls this.
--     scripts/bench methods --python DIR/bin/python --models resnet20.safetensors --keeps 0.3125 --budgets params
--     scripts/bench methods --python DIR/bin/python --check true
local mr = require "moonrail"
local measured = require "methods.measured"
local ours = require "methods.ours"
local place = require "methods.place"
local python = require "bench.python"
local tables = require "methods.tables"
local theirs = require "methods.theirs"

local recipes = arg[0]:match "^(.*/)" or "./"
local names = { "moonrail" }
for _, method in ipairs(theirs.list) do names[#names + 1] = method.name end

local args = mr.args {
    models = { recipes .. "../models/resnet20-fashion.safetensors" }, keeps = { 0.45, 0.3125, 0.2 },
    methods = { default = names, help = "whose models are made: " .. table.concat(names, ", ") },
    budgets = { default = { "params", "macs", "bytes" }, help = "what is limited to each of the keeps" },
    python = { default = "python3", help = "a Python that has PyTorch and the packages of the methods" },
    tune = { default = false, help = "whether every model is trained for one epoch afterwards" },
    check = { default = false, help = "checks the programs in Python instead, on a small network and on the models" },
    images = { default = 512, help = "training images that methods look at, without labels" },
    test_images = 10000, rounds = { default = 7, help = "how often a file's time is compared; 0: not at all" },
    out = { default = "out/methods", help = "where files are written" }, seed = 1, threads = 2, json = false,
}

local function log(...) io.stderr:write("methods: ", string.format(...), "\n") end

local function check_options()
    local known = { params = true, macs = true, bytes = true }
    for _, budget in ipairs(args.budgets) do
        if not known[budget] then error(("methods: --budgets has '%s'; there are params, macs and bytes"):format(budget), 0) end
    end
    for _, keep in ipairs(args.keeps) do
        if keep <= 0 or keep >= 1 then error(("methods: --keeps has %g; a share between 0 and 1 is kept"):format(keep), 0) end
    end
    for _, name in ipairs(args.methods) do
        if not table.concat(names, " "):find(name, 1, true) then
            error(("methods: --methods has '%s'; there are %s"):format(name, table.concat(names, ", ")), 0)
        end
    end
end

local function is_chosen(name)
    for _, chosen in ipairs(args.methods) do if chosen == name then return true end end
    return false
end

-- The methods of others that were asked for and whose packages are there. Those that are left out are said.
local function available()
    local list = {}
    for _, method in ipairs(theirs.list) do
        if is_chosen(method.name) then
            local needed = { table.unpack(theirs.common) }
            for _, name in ipairs(method.needs) do needed[#needed + 1] = name end
            local missing = python.missing(args.python, needed)
            if missing and #missing == 0 then
                list[#list + 1] = method
            else
                log("%s is left out: %s\n    %s", method.title,
                    missing and ("'%s' has no %s"):format(args.python, table.concat(missing, ", ")) or ("'%s' is no Python that runs"):format(args.python),
                    theirs.pip_line(missing or needed))
            end
        end
    end
    return list
end

local function context_of()
    local train, test = mr.data.fashion_mnist { batch = 128 }
    if args.test_images < #test then test = test:take(args.test_images) end
    return {
        python = args.python, programs = recipes .. "../peers/methods/", threads = args.threads, images = args.images, seed = args.seed,
        tune = args.tune, write = measured.write,
        data = { train = train, test = test, tuning = train:with { augment = { "crop", "flip" }, drop_last = true } },
    }
end

-- The points { budget, keep } of all tables. Where integers were measured, others are also given as many bytes as they take.
local function points(int8)
    local list = {}
    for _, budget in ipairs(args.budgets) do
        for _, keep in ipairs(args.keeps) do list[#list + 1] = { budget = budget, keep = keep } end
        if budget == "bytes" and int8 then list[#list + 1] = { budget = budget, keep = math.floor(1e4 * int8.bytes_share) / 1e4 } end
    end
    return list
end

-- The same points, without what a method left in them.
local function cleared(list)
    local fresh = {}
    for i, point in ipairs(list) do fresh[i] = { budget = point.budget, keep = point.keep } end
    return fresh
end

local function add(rows, row, name, title, point)
    row.method, row.title, row.budget, row.keep = name, title, point.budget, point.keep
    row.name = ("%s-%s-%s"):format(name, point.budget, point.keep)
    rows[#rows + 1] = row
    return row
end

-- What came out so far, for those who wait.
local function log_row(row)
    log("    %s: %.2f %% as cut, %.2f %% after batch norm was re-estimated%s", row.name, 100 * row.cut, 100 * row.repaired,
        row.own and (", %.2f %% after our repairs"):format(100 * row.own) or "")
end

local function add_theirs(rows, list, method, dense, paths, context)
    log("%s: %s", dense.name, method.title)
    theirs.cut_all(context, method.name, paths, dense, list)
    for _, point in ipairs(list) do
        if point.model then
            local row, repaired = measured.row(point.model, dense, context)
            row.seconds = point.seconds
            add(rows, row, method.name, method.title, point)
            measured.check_budget(measured.finish(row, repaired, dense, paths, context))
            log_row(row)
        else
            local note = point.least and ("does not fit: at least %.1f %%"):format(100 * point.least) or "does not fit"
            add(rows, { note = note }, method.name, method.title, point)
        end
    end
end

-- Integers are no budget that can be chosen: their rows say what share of the bytes they take.
local function add_int8(rows, dense, paths, context)
    log("%s: int8", dense.name)
    for _, line in ipairs(theirs.lines(context, "int8.py", {
        { "model", paths.dense }, { "images", paths.images }, { "test", paths.test }, { "labels", paths.labels }, { "out", paths.folder },
    })) do
        rows[#rows + 1] = {
            method = line.method, title = line.method, name = line.method, budget = "bytes", params_share = 1, macs_share = 1,
            bytes = line.bytes, bytes_share = line.bytes / dense.bytes, cut = line.accuracy, seconds = line.seconds, file = line.file,
        }
    end
end

local function add_ours(rows, list, dense, paths, context)
    for _, point in ipairs(list) do
        log("%s: Moonrail, %s of the %s", dense.name, point.keep, point.budget)
        local row, small = ours.row(dense, point, paths, context)
        add(rows, row, "moonrail", "Moonrail", point)
        if small then
            measured.check_budget(measured.finish(row, small, dense, paths, context))
            log_row(row)
        end
    end
end

-- Ratios of time to the dense file, where ONNX Runtime is there.
local function add_times(rows, paths, context)
    local missing = python.missing(args.python, { "onnxruntime", "numpy" })
    if args.rounds == 0 then return end
    if not missing or #missing > 0 then return log("times are left out: they need onnxruntime\n    %s", theirs.pip_line { "onnxruntime", "numpy" }) end
    local files, by_file = {}, {}
    for _, row in ipairs(rows) do
        if row.file then files[#files + 1], by_file[row.file] = row.file, row end
    end
    local options = { { "dense", paths.dense }, { "files", table.concat(files, ",") }, { "rounds", args.rounds } }
    for _, line in ipairs(theirs.lines(context, "latency.py", options)) do
        local row = by_file[line.file]
        row.ratio, row.ratio_min, row.ratio_max, row.ms = line.ratio, line.ratio_min, line.ratio_max, line.ms
    end
end

local function compare(path, methods, context)
    local model, name = mr.load(path), place.name_of(path)
    local paths = place.prepared(args.out .. "/" .. name, model, context.data, context)
    local dense = { name = name, model = model, cost = model.cost, bytes = mr.model_size(paths.dense) }
    dense.accuracy = model:evaluate(context.data.test).accuracy
    if #methods > 0 then theirs.check_dense(context, model, paths) end
    local rows = {}
    for _, method in ipairs(methods) do
        if method.name == "int8" and table.concat(args.budgets, " "):find "bytes" then add_int8(rows, dense, paths, context) end
    end
    local list = points(rows[1])
    if is_chosen "moonrail" then add_ours(rows, list, dense, paths, context) end
    for _, method in ipairs(methods) do
        if method.name ~= "int8" then add_theirs(rows, cleared(list), method, dense, paths, context) end
    end
    add_times(rows, paths, context)
    for position, row in ipairs(rows) do
        row.model, row.dense_accuracy, row.position, row.order = name, dense.accuracy, position, row.keep or row.bytes_share
    end
    -- By share; the methods of a share stay in their order.
    table.sort(rows, function(a, b)
        if a.order ~= b.order then return a.order > b.order end
        return a.position < b.position
    end)
    return dense, rows
end

-- Checks the programs in Python, on their own small network and on each of the models.
local function check(methods, context)
    local list = {}
    for _, method in ipairs(methods) do if method.name ~= "int8" then list[#list + 1] = method.name end end
    if #list == 0 then error("methods: there is no method to check", 0) end
    local ok = theirs.checked(context, { { "methods", table.concat(list, ",") }, { "seed", args.seed } })
    for _, path in ipairs(args.models) do
        local model = mr.load(path)
        local paths = place.prepared(args.out .. "/" .. place.name_of(path), model, context.data, context)
        theirs.check_dense(context, model, paths)
        print(("right  %s: the dense network is the same in PyTorch"):format(model.name))
        ok = theirs.checked(context, {
            { "methods", table.concat(list, ",") }, { "seed", args.seed }, { "network", paths.network }, { "images", paths.images },
        }) and ok
    end
    return ok
end

local function main()
    check_options()
    mr.seed(args.seed)
    mr.threads(args.threads)
    local methods, context = available(), context_of()
    if args.check then return check(methods, context) end
    for _, path in ipairs(args.models) do
        local dense, rows = compare(path, methods, context)
        if args.json then
            for _, row in ipairs(rows) do print(mr.json(row)) end
        else
            tables.print(dense, rows, args.budgets)
        end
    end
    log("seed %d, %d images without labels, %d test images, %d threads", args.seed, args.images, #context.data.test, args.threads)
    return true
end

if not main() then os.exit(1, true) end
