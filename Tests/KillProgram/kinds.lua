-- Every kind of file that scripts can have written, in versions that differ: `save(version)` writes into the current
-- directory what is the same bytes each time; where it cannot be, `accepts(content)` says whether a file is whole.
local mr = require "moonrail"
local core = require "moonrail.core"

local kinds = {}

-- A kind whose versions are written over each other: 1, 2, 1, 2, …
local function kind(name, save) kinds[#kinds + 1] = { name = name, versions = 2, save = save } end

local function network(version)
    local nn = mr.nn
    return nn.sequential {
        name = "net" .. version, seed = version, image = { 1, 6, 6 }, nn.conv { channels = 40 * version, kernel = 3, padding = 1 },
        nn.relu(), nn.conv { channels = 90, kernel = 3, padding = 1 }, nn.relu(), nn.global_avg_pool(), nn.flatten(),
        nn.linear { features = 2 },
    }
end

local networks = { network(1), network(2) }
local tensors = { mr.ones(300, 300) * 1.5, mr.ones(200, 500) * 2.5 }
local function text(version) return (("line %d of version %d\n"):format(7, version)):rep(4000 * version) end

kind("model", function(version) networks[version]:save "model.safetensors" end)
kind("onnx", function(version) networks[version]:save "model.onnx" end)
kind("torch", function(version) networks[version]:save "model.py" end)
kind("safetensors", function(version) mr.write_safetensors("tensors.safetensors", { a = tensors[version], b = mr.ones(version) }) end)
kind("npy", function(version) mr.write_npy("tensor.npy", tensors[version]) end)
kind("npz", function(version) mr.write_npz("tensors.npz", { a = tensors[version], b = mr.ones(version) }) end)
kind("text", function(version) mr.write_text("notes.txt", text(version)) end)
kind("json", function(version) mr.write_json("notes.json", { version = version, lines = text(version) }) end)

local function rows(version)
    local list = {}
    for i = 1, 200 * version do list[i] = { name = "row" .. i, value = version + i / 8 } end
    return mr.rows(list)
end

kind("rows", function(version)
    rows(version):save "rows.json"
    rows(version):save "rows.csv"
end)
kind("chart", function(version) rows(version):top(5 * version):plot "rows.svg" end)

local function report(version)
    local models = {}
    for i = 1, 2 + version do models[i] = { name = "model " .. i, params = 1000 * i, accuracy = 0.9 - i / 100 * version } end
    return mr.report { title = "version " .. version, models = models }
end

kind("report", function(version)
    report(version):html "report.html"
    report(version):save "report.json"
    report(version):plot "report.svg"
end)

-- Kinds that grow: their file begins anew after the last version.
local function growing(entry)
    function entry.restart()
        for _, name in ipairs(entry.files) do os.remove(name) end
    end
    kinds[#kinds + 1] = entry
end

-- Each version is a start of a sweep that records one more point.
growing {
    name = "sweep", versions = 12, files = { "sweep.json" }, save = function(version)
        for point in mr.sweep { "sweep.json", keep = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } } do
            point:record { accuracy = version / 16, text = ("x"):rep(1000) }
            break
        end
    end,
}

-- A checkpoint says how long the training took; this clock makes that the same each time.
local ticks = 0
function core.clock()
    ticks = ticks + 1
    return ticks
end

local images = mr.data.from_tensors(
    mr.ones(4, 1, 6, 6), mr.tensor({ 1, 2, 1, 2 }, { dtype = "int64" }), { batch = 2, shuffle = false })

growing {
    name = "checkpoint", versions = 4, files = { "training.safetensors" }, save = function(version)
        ticks = 0
        mr.seed(1)
        network(1):fit(images, { steps = version, checkpoint = "training.safetensors", checkpoint_every = 1, resume = version > 1 })
    end,
}

-- What is measured differs each time, what was measured does not.
local measured = 0
kinds[#kinds + 1] = {
    name = "latencies", versions = 2, milliseconds = 300, save = function(_, number)
        measured = measured + 1
        local nn = mr.nn
        local channels = 3 + (number + measured) % 997
        local model = nn.sequential { image = { 4, 4, 4 }, nn.conv { channels = channels, kernel = 3 }, nn.conv { channels = 4, kernel = 1 } }
        pcall(mr.plan, model, { budget = { latency = 0.9 }, policy = "uniform" })
    end,
    -- Numbers, descriptions and ends of lines; nothing else, and no line without its end.
    accepts = function(content)
        local rest = content:gsub("%d+\tbatch %d+ [^\n\t]+\n", "")
        return rest == ""
    end,
}

-- A file of events grows by whole records, of which the last may be cut short by the end of its process.
kinds[#kinds + 1] = {
    name = "events", versions = 1, grows = true, save = function()
        local events = mr.events "runs"
        for step = 1, 1000000 do events:scalars({ ["step/loss"] = step, ["step/" .. ("x"):rep(200)] = 2 }, step) end
    end,
    accepts = function(content)
        local place, step = 1, -1
        while place + 12 <= #content do
            local length = string.unpack("<I8", content, place)
            local record = content:sub(place + 12, place + 11 + length)
            if place + 15 + length > #content then return true end
            -- Field 2 of an event is its step; the first event has none.
            local found = step >= 0 and record:match("^\9........\16(.-)\42", 1)
            if step >= 0 and not found then return false end
            place, step = place + 16 + length, step + 1
        end
        return true
    end,
}

return kinds
