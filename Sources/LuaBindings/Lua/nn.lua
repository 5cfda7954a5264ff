-- mr.nn: networks put together from layers. A layer is called with values and gives a value; so is a block, and any
-- function that takes and gives values can stand where a layer stands.
local core = require "moonrail.core"
local check = require "moonrail.check"

local nn = {}
for name, make in pairs(core.layers) do nn[name] = make end

local Block = { __name = "Block" }

local function is_layer(candidate)
    local meta = getmetatable(candidate)
    return type(candidate) == "function" or meta == "Layer" or meta == Block
end

-- Splits `options` into layers 1…n and named options.
local function read(where, options)
    if type(options) ~= "table" then core.fail("lua.argument", ("%s: argument 1 (options) must be a table, got a %s"):format(where, type(options))) end
    local layers, named = {}, {}
    for i, layer in ipairs(options) do
        if not is_layer(layer) then
            core.fail("lua.argument", ("%s: layer %d must be a layer, a block or a function, got a %s"):format(where, i, type(layer)))
        end
        layers[i] = layer
    end
    for key, value in pairs(options) do
        if math.type(key) == "integer" then
            if not layers[key] then core.fail("lua.argument", ("%s: layer %d is missing"):format(where, #layers + 1)) end
        else
            named[key] = value
        end
    end
    return layers, check.options(where, named)
end

-- The starting values of a parameter: a tensor, one number for all elements, or normal numbers of some deviation.
local function starting(options)
    local start = options.value
    if getmetatable(start) == "Tensor" then
        if options.shape or options.deviation then core.fail("lua.argument", "mr.nn.parameter: a tensor as value has its own shape") end
        return start
    end
    if not options.shape then core.fail("lua.argument", "mr.nn.parameter: option 'shape' is missing, such as { 16, 1, 1 }") end
    if options.deviation then
        if start then core.fail("lua.argument", "mr.nn.parameter: give either value or deviation, not both") end
        return core.randn(options.shape) * options.deviation
    end
    return core.zeros(options.shape) + (start or 0)
end

--- A tensor of the network's own, learned unless trainable = false. Called with any value of the network, it gives the
--- parameter as a value.
function nn.parameter(options)
    options = check.options("mr.nn.parameter", options)
    local start = starting(options)
    return function(x)
        if getmetatable(x) ~= "Value" then
            core.fail("lua.argument", "mr.nn.parameter: must be called with a value of the network it is for, got a " .. type(x))
        end
        return core.parameter(x, start, options.name, options.trainable)
    end
end

--- Names of layers made until it is closed begin with `name` and a dot, also where an error ends what makes them.
function core.scope(x, name)
    core.enter(x, name)
    return setmetatable({}, { __close = function() core.leave(x) end })
end

local function value(where, result)
    if getmetatable(result) == "Value" then return result end
    core.fail("lua.argument", ("%s: must give a value, got a %s"):format(where, type(result)))
end

local function through(layers, x)
    for i, layer in ipairs(layers) do x = value(("layer %d"):format(i), layer(x)) end
    return x
end

function Block.__call(block, x)
    value("block: the argument", x)
    local scope <close> = block.name and core.scope(x, block.name) or nil
    local y = through(block.layers, x)
    if block.shortcut then y = y + value("shortcut", block.shortcut(x)) end
    return y
end

function nn.block(options)
    local layers, named = read("mr.nn.block", options)
    return setmetatable({ layers = layers, name = named.name }, Block)
end

local function same(x) return x end

function nn.residual(options)
    local layers, named = read("mr.nn.residual", options)
    if named.shortcut ~= nil and not is_layer(named.shortcut) then
        core.fail("lua.argument", ("mr.nn.residual: option 'shortcut' must be a layer, a block or a function, got a %s"):format(type(named.shortcut)))
    end
    return setmetatable({ layers = layers, name = named.name, shortcut = named.shortcut or same }, Block)
end

function nn.sequential(options)
    local layers, named = read("mr.nn.sequential", options)
    local network, x = core.network(named)
    return network:finish(through(layers, x))
end

function nn.graph(options)
    local _, named = read("mr.nn.graph", options)
    local build = named.build
    if type(build) ~= "function" then
        core.fail("lua.argument", ("mr.nn.graph: option 'build' must be a function, got a %s"):format(type(build)))
    end
    named.build = nil
    local network, x = core.network(named)
    local results = table.pack(build(x))
    for i = 1, math.max(1, results.n) do value("mr.nn.graph: build", results[i]) end
    return network:finish(table.unpack(results, 1, results.n))
end

return nn
