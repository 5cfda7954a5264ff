-- What the description says in words: operators, indices, functions that come back, rows and plans with odd cells.
local subjects, entries = ...
local mr = require "moonrail"
local in_network = entries.in_network

-- `kinds` are types of arguments, with commas between, as the description has them.
local function extra(name, kinds, call, weight)
    local places = {}
    for kind in kinds:gmatch "[^,]+" do
        local kindName, place = kind:match "^(.-)=(.*)$"
        places[#places + 1] = { name = kindName or "operand", kind = place or kind, at = #places + 1 }
    end
    entries.add(name, call, places, weight)
end

for _, sign in ipairs { "+", "-", "*", "/", "^", "..", "<", "==", "//", "%", "&" } do
    local f = load(("local a, b = ... return a %s b"):format(sign))
    extra("Tensor " .. sign, "Tensor,number", f)
    extra("number " .. sign .. " Tensor", "number,Tensor", f)
    extra("int64 Tensor " .. sign, "number", function(x) return f(mr.arange(3), x) end)
    extra("watched Tensor " .. sign, "number", function(x) return f(mr.tape():watch(mr.ones(3)), x):sum():backward() end, 4)
    extra("TensorTrain " .. sign, "TensorTrain,number", f, 4)
    extra("TensorTrain " .. sign .. " TensorTrain", "TensorTrain,TensorTrain", f, 4)
    extra("Value " .. sign, "number", function(v) return in_network(function(x) return f(x, v) end) end, 20)
end
for class, make in pairs(subjects.classes) do
    if class ~= "Moments" then
        extra(class .. "[key]", "string", function(key) return make()[key] end, 10)
        extra(class .. "[key] = value", "string,number", function(key, value) make()[key] = value end, 10)
        extra(class .. "()", "number,number", function(...) return make()(...) end, 10)
        extra("#, tostring and call of " .. class, "string=", function() local o = make() return #o, tostring(o), o == o end, 10)
    end
end
-- A method of one class on whatever else there is, and of tensors on those of every kind.
for _, entry in ipairs(entries.list) do
    local class, method = entry.name:match "^(%u%w*):([%l_]+)$"
    if class == "Tensor" or class == "Rows" or class == "Iterator" then
        extra("self of " .. entry.name, class .. ",number,number", function(self, ...) return self[method](self, ...) end, class == "Tensor" and 1 or 10)
    end
end
extra("an element", "Tensor,integer", function(x, i) return x[i] end)
extra("Optimizer.lr = x", "number", function(lr) local o = mr.optim.sgd { lr = 0.1 } o.lr = lr return o end)
for _, name in ipairs { "cosine", "step", "one_cycle", "constant" } do
    extra("mr.schedule." .. name .. "()", "number", function(x) return mr.schedule[name]()(x) end)
end
extra("mr.schedule.shrink()", "number", function(x) return mr.schedule.shrink { to = 0.5 }(x) end)
extra("mr.grad()", "Tensor,number", function(x, y) return mr.grad(function(v) return v:sum() end)(x, y) end, 4)
extra("mr.cat of values", "number,number", function(v, dim) return in_network(function(x) return mr.cat({ x, v, x }, dim) end) end, 20)
extra("Tensor:rows of a list", "number,number", function(a, b) return mr.ones(3, 3):rows { a, b } end)
extra("Model:__call of images", "Tensor", function(x) return subjects.maker("", "dense", "Model")()(x) end, 20)
extra("Progress:advance twice", "number,number", function(a, b) local p = mr.progress("x", 3) p:advance(a) p:advance(b) end)
extra("mr.tt.from_cores of two", "Tensor,Tensor", function(a, b) return mr.tt.from_cores { mr.ones(1, 3, 2), a, b } end)
extra("mr.tt.cross of results", "number", function(v) return mr.tt.cross(function() return v end, { modes = { 3, 3 } }) end, 20)
extra("cell of rows", "string,number,number", function(key, a, b)
    local rows = mr.rows { { name = "a", value = 1 }, { name = "b", [key] = a }, { name = b, value = 2 } }
    return tostring(rows), rows:sort "value", rows:group "name", rows:mean(), rows:csv(), rows:plot(nil, { key = "value" })
end, 4)
extra("row of rows", "table,number", function(a, b) return tostring(mr.rows { a, b }) end)
for _, name in ipairs { "layer", "ranks", "format", "error", "params", "dense_params", "macs", "reason" } do
    extra("row of a plan: " .. name, "number", function(v)
        local plan = subjects.maker("", "plan", "table")()
        for _, row in ipairs(plan) do row[name] = v end
        return subjects.maker("", "dense", "Model")():compress(plan), tostring(plan), plan:csv()
    end, 60)
end
for _, name in ipairs { "formats", "classifier", "policy", "whiten", "whitened", "dense_params", "rows" } do
    extra("field of a plan: " .. name, "number", function(v)
        local plan = subjects.maker("", "plan", "table")()
        rawset(plan, name, v)
        return subjects.maker("", "dense", "Model")():compress(plan)
    end, 60)
end
for _, table_name in ipairs { "scores", "curves" } do
    local names = table_name == "scores" and { "layer", "parent", "accuracy", "stderr", "gain", "significance" } or { "layer", "errors", "losses", "ranks" }
    for _, name in ipairs(names) do
        extra(("row of %s: %s"):format(table_name, name), "number", function(v)
            local list = subjects.maker("", table_name, "table")()
            for _, row in ipairs(list) do row[name] = v end
            return mr.plan(subjects.maker("", "dense", "Model")(), {
                [table_name] = list, policy = table_name == "scores" and "lwiq" or nil, budget = { params = 0.7 }, formats = "C·Kh·Kw|O" })
        end, 200)
    end
end
for _, name in ipairs { "params", "macs", "bytes", "activation_bytes", "latency" } do
    extra("budget of " .. name, "number", function(v)
        return mr.plan(subjects.maker("", "dense", "Model")(), { budget = { [name] = v }, policy = "uniform", formats = "C·Kh·Kw|O" })
    end, name == "latency" and 3000 or 60)
end
extra("policy's ranks", "number,number", function(a, b)
    return mr.plan(subjects.maker("", "dense", "Model")(), { budget = { params = 1 }, formats = "C·Kh·Kw|O", policy = function(layers)
        local _ = layers[1].error(a), layers[1].cost(b)
        return { a = a, b = b }
    end })
end, 60)
for _, name in ipairs { "params", "macs", "bytes", "accuracy", "latency_ms", "name", "model" } do
    extra("row to compare: " .. name, "number", function(v)
        local rows = { { name = "a", params = 1, accuracy = 1 }, { name = "b", params = 1, accuracy = 1, [name] = v } }
        return tostring(mr.compare(rows)), mr.report { models = rows }:html "o.html"
    end, 60)
end
extra("row of a file", "string,number", function(name, value) return mr.json { [name] = value, list = { value, name } } end, 2)
extra("axis of a sweep", "number", function(v) for point in mr.sweep { keep = v } do point:record { x = v } break end end, 20)
extra("number of a sweep", "number", function(v) for point in mr.sweep { "s.json", keep = { 1 } } do point:record { x = v } break end end, 20)
extra("scalar of an event", "number", function(v) return mr.events "events":scalars({ x = v }, 1) end, 20)

return entries
