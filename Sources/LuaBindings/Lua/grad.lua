-- mr.grad(f): gradients of a function written in Lua. f gets the same values on a tape, and gives a tensor of one element.
local core = require "moonrail.core"

-- The value as f sees it: tensors are watched, models run on the tape, tables are copied with all that is in them.
local function watched(tape, value, seen)
    local kind = getmetatable(value)
    if kind == "Tensor" then return tape:watch(value) end
    if kind == "Model" then
        return function(images, options)
            local passed = { tape = tape }
            for key, option in pairs(options or {}) do passed[key] = option end
            return value:forward(images, passed)
        end
    end
    if type(value) ~= "table" then return value end
    if seen[value] then return seen[value] end
    local copy = {}
    seen[value] = copy
    for key, inner in pairs(value) do copy[key] = watched(tape, inner, seen) end
    return copy
end

-- The gradients in the form of the value.
local function collected(gradients, value, seen)
    local kind = getmetatable(value.plain)
    if kind == "Tensor" then return gradients:of(value.watched) end
    if kind == "Model" then return gradients:of(value.plain) end
    if type(value.plain) ~= "table" then return nil end
    if seen[value.plain] then return seen[value.plain] end
    local found = {}
    seen[value.plain] = found
    for key, inner in pairs(value.plain) do
        found[key] = collected(gradients, { plain = inner, watched = value.watched[key] }, seen)
    end
    return found
end

return function(f)
    if type(f) ~= "function" then core.fail("lua.argument", "mr.grad: argument 1 (f) must be a function, got a " .. type(f)) end
    return function(x, ...)
        local kind = getmetatable(x)
        if type(x) ~= "table" and kind ~= "Tensor" and kind ~= "Model" then
            core.fail("lua.argument", "mr.grad: what is differentiated must be a Tensor, a Model or a table of them, got a " .. type(x))
        end
        local tape = core.tape()
        local on_tape = watched(tape, x, {})
        local value = f(on_tape, ...)
        if getmetatable(value) ~= "Tensor" then
            core.fail("lua.argument", "mr.grad: the function must give a Tensor of one element, got a " .. type(value))
        end
        local gradients = value:backward()
        return collected(gradients, { plain = x, watched = on_tape }, {}), value:item()
    end
end
