-- Every function of the toolkit that calls a function of the script, with all that such a function may do but its work.
-- Gives the table of entries and `try(entry, misdeed)`, which is nil or what went wrong.
local mr = require "moonrail"

local entries, misdeeds = {}, {}

-- An entry: `make()` gives what is in use; `call(subject, f)` calls what calls `f`, and gives a text of the result; `good` is
-- an `f` that does its work. What `call` changes has to be a copy, so that it gives the same text each time.
local function entry(name, make, good, call) entries[#entries + 1] = { name = name, make = make, good = good, call = call } end

local function text(value)
    if type(value) ~= "table" then return tostring(value) end
    local parts = {}
    for i, inner in ipairs(value) do parts[i] = text(inner) end
    for _, key in ipairs { "name", "value", "x", "params", "loss", "lr" } do
        if rawget(value, key) ~= nil then parts[#parts + 1] = key .. "=" .. text(rawget(value, key)) end
    end
    return "{" .. table.concat(parts, ", ") .. "}"
end

local function nothing() return {} end

-- MARK: Sequences and rows

local function numbers() return { list = { 3, 1, 2 } } end
entry("mr.iter: source", numbers, function(_, i) i = (i or 0) + 1 return i <= 3 and i or nil end,
    function(_, f) return text(mr.iter(f):list()) end)
entry("Iterator:map", numbers, function(x) return x * 2 end, function(s, f) return text(mr.iter(s.list):map(f):list()) end)
entry("Iterator:filter", numbers, function(x) return x > 1 end, function(s, f) return text(mr.iter(s.list):filter(f):list()) end)
entry("Iterator:fold", numbers, function(a, x) return a + x end, function(s, f) return text(mr.iter(s.list):fold(0, f)) end)

local function rows()
    local list = mr.rows { { name = "a", value = 2 }, { name = "b", value = 3 }, { name = "c", value = 1 } }
    return { list = list, object = list }
end
entry("Rows:sort", rows, function(row) return row.value end, function(s, f) return text(s.list:sort(f)) end)
entry("Rows:filter", rows, function(row) return row.value > 1 end, function(s, f) return text(s.list:filter(f)) end)
entry("Rows:map", rows, function(row) return { value = row.value * 2 } end, function(s, f) return text(s.list:map(f)) end)
entry("mr.rows: format", rows, function(value) return "<" .. tostring(value) .. ">" end,
    function(s, f) return tostring(mr.rows(s.list, { { "value", "v", f } })) end)

-- MARK: Networks

local function image() return { 1, 4, 4 } end
entry("mr.nn.graph: build", nothing, function(x) return mr.nn.flatten()(x) end,
    function(_, f) return text(mr.nn.graph { image = image(), build = f }.cost.params) end)
entry("mr.nn.sequential: function", nothing, function(x) return mr.nn.conv { channels = 2, kernel = 3 } (x) end,
    function(_, f) return table.concat(mr.nn.sequential { image = image(), seed = 1, f, mr.nn.flatten() }.parameter_names, " ") end)
entry("mr.nn.block: function", nothing, function(x) return mr.nn.relu()(x) end, function(_, f)
    return text(mr.nn.sequential { image = image(), mr.nn.block { name = "b", f }, mr.nn.relu() }.nodes)
end)
entry("mr.nn.residual: shortcut", nothing, function(x) return x end, function(_, f)
    return text(mr.nn.sequential { image = image(), mr.nn.residual { name = "r", shortcut = f, mr.nn.relu() } }.nodes)
end)

local function network()
    local nn = mr.nn
    return nn.sequential {
        name = "small", seed = 1, image = image(), nn.conv { channels = 6, kernel = 3, padding = 1, name = "a" }, nn.relu(),
        nn.conv { channels = 6, kernel = 3, padding = 1, name = "b" }, nn.relu { name = "r" }, nn.flatten(),
        nn.linear { features = 2, name = "fc" },
    }
end
local function model()
    local made = network()
    return { model = made, object = made }
end
entry("Model:edit", model, function(x) return mr.nn.sigmoid()(x) end, function(s, f) return text(s.model:edit({ r = f }).nodes) end)

-- MARK: Training

local function training()
    local made = network()
    local data = mr.data.from_tensors(
        mr.arange(64):to "float32":reshape(4, 1, 4, 4), mr.tensor({ 1, 2, 1, 2 }, { dtype = "int64" }), { batch = 2, shuffle = false })
    return { model = made, data = data, object = made, optimizer = mr.optim.sgd { lr = 0.1 } }
end
local function fit(name, good)
    entry("Model:fit: " .. name, training, good, function(s, f)
        local copy = s.model:clone()
        -- The rate comes back however training ends, so each call begins with the same.
        local history = copy:fit(s.data, { steps = 2, optimizer = s.optimizer, [name] = f })
        return ("%.6f %s %s"):format(history[1].loss, copy.cost.params, s.optimizer.lr)
    end)
end
fit("schedule", function() return 0.5 end)
fit("loss", function(logits, batch) return mr.loss.cross_entropy(logits, batch.y) end)
fit("on_step", function() return true end)
fit("on_epoch", function() return true end)
fit("budget", function() return nil end)
entry("Model:finetune: on_step", training, function() end, function(s, f)
    return ("%.6f"):format(s.model:clone():finetune(s.data, { steps = 2, images = 4, on_step = f })[1].loss)
end)
entry("mr.grad", function()
    local x = mr.ones(3)
    return { x = x, object = x }
end, function(x) return (x * x):sum() end, function(s, f) return text((mr.grad(f)(s.x)):totable()) end)

-- MARK: Compression

entry("mr.plan: policy", model, function(layers)
    local ranks = {}
    for _, layer in ipairs(layers) do ranks[layer.name] = 1 end
    return ranks
end, function(s, f) return text(mr.plan(s.model, { budget = { params = 0.9 }, policy = f }).params) end)
entry("mr.tt.cross", nothing, function(indices) return mr.ones(indices.shape[1]) end,
    function(_, f) return text(mr.tt.cross(f, { modes = { 3, 4, 5 }, max_rank = 2 }).ranks) end)

-- MARK: Metamethods that messages and lists meet

entry("tostring of a key", nothing, function() return "key" end, function(_, f)
    local ok, failure = pcall(mr.nn.conv, { [setmetatable({}, { __tostring = f })] = 1 })
    if type(failure) ~= "userdata" or not failure.message:find "have names" then error(failure, 0) end
    return tostring(ok) .. failure.message
end)
entry("__index of a row", nothing, function() return 1 end, function(_, f)
    local list = {}
    for i = 1, 3 do list[i] = setmetatable({}, { __index = f }) end
    return text(mr.rows(list):column "value")
end)
entry("__pairs of options", nothing, function() return next, { name = "a" }, nil end, function(_, f)
    return text(#mr.rows({ setmetatable({ name = "a" }, { __pairs = f }) }):csv())
end)
entry("__close in a loop", numbers, function() end, function(s, f)
    local sum = 0
    for x in mr.iter(s.list) do
        local _ <close> = setmetatable({}, { __close = f })
        sum = sum + mr.ones(x):sum():item()
    end
    return text(sum)
end)
entry("mr.sweep: body", nothing, function() return { x = 1 } end, function(_, f)
    local count = 0
    for point in mr.sweep { keep = { 1, 2 } } do
        point:record(f(point))
        count = count + 1
    end
    return text(count)
end)

-- MARK: Misdeeds

-- A misdeed: `make(entry, subject)` gives the function, and the error that has to come through, if one must.
local function misdeed(name, make) misdeeds[#misdeeds + 1] = { name = name, make = make } end

misdeed("raises a text", function() return function() error("wanted", 0) end, "wanted" end)
misdeed("raises a table", function()
    local value = setmetatable({}, { __tostring = function() error "no text" end })
    return function() error(value) end, value
end)
misdeed("raises nil", function() return function() error(nil) end end)
misdeed("raises a failure of the toolkit", function()
    local _, value = pcall(mr.seed, "x")
    return function() error(value) end, value
end)
misdeed("raises in a coroutine", function() return function() coroutine.wrap(error)("wanted", 0) end end)
misdeed("gives nothing", function() return function() end end)
for name, value in pairs { number = 0 / 0, text = ("x"):rep(1 << 16), table = {}, flag = false, tensor = mr.ones(2), model = network() } do
    misdeed("gives a wrong " .. name, function() return function() return value end end)
end
misdeed("gives a table that raises", function()
    return function() return setmetatable({}, { __index = error, __len = error, __pairs = error, __call = error, __tostring = error }) end
end)
misdeed("calls the same again", function(this, subject)
    local depth = 0
    return function(...)
        depth = depth + 1
        if depth == 1 then pcall(this.call, subject, this.good) end
        return this.good(...)
    end
end)
misdeed("calls the same for ever", function(this, subject)
    -- A training that goes as deep as Lua's stack takes half a minute.
    local depth, deepest = 0, this.name:find "^Model:fi" and 20 or math.huge
    local function f()
        depth = depth + 1
        if depth > deepest then error "deep enough" end
        return this.call(subject, f)
    end
    return f
end)
misdeed("closes what is in use", function(this, subject)
    return function(...)
        if type(subject.object) == "userdata" then local _ <close> = subject.object end
        return this.good(...)
    end
end)
misdeed("empties what is run through", function(this, subject)
    return function(...)
        for key in pairs(subject.list or {}) do subject.list[key] = nil end
        return this.good(...)
    end
end)
misdeed("lengthens what is run through", function(this, subject)
    local count = 0
    return function(...)
        count = count + 1
        if subject.list and count < 100 then subject.list[#subject.list + 1] = subject.list[1] end
        return this.good(...)
    end
end)
misdeed("changes the network in use", function(this, subject)
    return function(...)
        if subject.model then
            subject.model:set_parameter("fc.weight", mr.zeros(subject.model:parameter "fc.weight".shape))
            subject.model:note("n", 1)
        end
        return this.good(...)
    end
end)
misdeed("collects garbage", function(this)
    return function(...)
        collectgarbage()
        return this.good(...)
    end
end)
misdeed("fills the memory", function()
    return function()
        local t = {}
        while true do t[#t + 1] = { ("x"):rep(1 << 18) .. #t } end
    end
end)
misdeed("fills the memory with tensors", function()
    return function()
        local t = {}
        while true do t[#t + 1] = mr.zeros(1 << 16) end
    end
end)
misdeed("fills the stack", function()
    local function f(x) return 1 + f(x) end
    return f
end)
if debug then
    misdeed("sets a hook that raises", function()
        return function()
            debug.sethook(function()
                debug.sethook()
                error("wanted", 0)
            end, "", 1)
        end
    end)
end

-- MARK: Yields

--- Whether a call whose function yields, within a coroutine, ends: with the right result, or with an error.
local function yields(this, subject)
    local thread = coroutine.create(function()
        return this.call(subject, function(...)
            coroutine.yield()
            return this.good(...)
        end)
    end)
    local ok, result
    repeat ok, result = coroutine.resume(thread) until coroutine.status(thread) == "dead"
    return ok and result or nil
end

-- MARK: Trying

local same = { ["collects garbage"] = true, ["calls the same again"] = true }

local function try(this, misdeed)
    local subject = this.make()
    local expected = this.call(this.make(), this.good)
    local f, wanted = misdeed.make(this, subject)
    local ok, result = pcall(this.call, subject, f)
    if debug then debug.sethook() end
    if wanted ~= nil and (ok or not rawequal(result, wanted)) then
        return ("gives %s, and the error does not come through"):format(ok and "a result" or tostring(result))
    end
    if same[misdeed.name] and not (ok and result == expected) then
        return ("gives %s, not %s"):format(tostring(result), expected)
    end
    -- What was not changed works as before; what was changed was the script's own doing.
    if misdeed.name:find "^closes" or misdeed.name:find "run through$" or misdeed.name:find "^changes" then subject = this.make() end
    ok, result = pcall(this.call, subject, this.good)
    if not ok or result ~= expected then return ("leaves %s behind it, not %s"):format(tostring(result), expected) end
end

local function try_to_yield(this)
    local subject = this.make()
    local expected = this.call(this.make(), this.good)
    local result = yields(this, subject)
    if result ~= nil and result ~= expected then return ("gives %s, not %s"):format(tostring(result), expected) end
    local ok, later = pcall(this.call, subject, this.good)
    if not ok or later ~= expected then return ("leaves %s behind it, not %s"):format(tostring(later), expected) end
end

return { entries = entries, misdeeds = misdeeds, try = try, try_to_yield = try_to_yield }
