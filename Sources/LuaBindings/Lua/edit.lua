-- model.nodes and model:edit: a network node by node, and a copy of it with some nodes changed.
local core = require "moonrail.core"
local check = require "moonrail.check"
local rows = require "moonrail.rows"

--- The nodes of a model in the order they run: rows, also found by name.
function core.getters.Model.nodes(model)
    local function list(names) return table.concat(names, ", ") end
    return rows.wrap((core.nodes(model)), {
        title = model.name,
        { "name", "node" }, { "op", "operation" }, { "inputs", "reads", list }, { "shape", "output", rows.extents },
        { "params", "parameters", rows.grouped },
    })
end

local function is_change(value)
    return value == false or type(value) == "function" or getmetatable(value) == "Layer"
        or (type(value) == "table" and getmetatable(value) ~= nil and getmetatable(value).__name == "Block")
end

local function glob(text) return "^" .. text:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$" end

-- The key of `changes` that each node falls under: its own name, else the only pattern that fits.
local function chosen(nodes, changes)
    local found, used, names = {}, {}, {}
    for i, node in ipairs(nodes) do names[i] = node.name end
    for key, change in pairs(changes) do
        if type(key) ~= "string" then
            core.fail("lua.argument", ("Model:edit: changes are given by the names of nodes, got a %s"):format(type(key)))
        end
        if not is_change(change) then
            core.fail("lua.argument", ("Model:edit: the change of '%s' must be a layer, a block, a function or false, got a %s"):format(key, type(change)))
        end
        for _, name in ipairs(names) do
            if name == key or (key:find("*", 1, true) and name:find(glob(key)) and changes[name] == nil) then
                if found[name] then
                    core.fail("lua.argument", ("Model:edit: '%s' and '%s' both fit node '%s'"):format(found[name], key, name))
                end
                found[name], used[key] = key, true
            end
        end
        if not used[key] then
            core.fail("lua.argument", ("Model:edit: no node is called '%s'%s"):format(key, check.hint(key, names)))
        end
    end
    return found
end

-- What stands in place of `node`: as many values as it had.
local function changed(network, node, change, given)
    local results
    if #given == 0 then core.fail("lua.argument", ("Model:edit: '%s' reads no value that a change could"):format(node.name)) end
    if change == false then
        if #given ~= 1 then
            core.fail("lua.argument", ("Model:edit: '%s' reads %d values, so false does not say which of them goes on: give a function"):format(node.name, #given))
        end
        results = table.pack(given[1])
    elseif getmetatable(change) == "Layer" then
        network:claim(node.name)
        results = table.pack(change(table.unpack(given)))
    else
        local function keep(...)
            if select("#", ...) == 0 then return network:keep(node.name, table.unpack(given)) end
            return network:keep(node.name, ...)
        end
        local arguments = table.move(given, 1, #given, 1, {})
        if type(change) == "function" then arguments[#arguments + 1] = keep end
        local scope <close> = core.scope(given[1], node.name)
        results = table.pack(change(table.unpack(arguments)))
    end
    if results.n ~= #node.outputs then
        core.fail("lua.argument", ("Model:edit: '%s' makes %d value(s), but its change gave %d"):format(node.name, #node.outputs, results.n))
    end
    for i = 1, results.n do
        if getmetatable(results[i]) ~= "Value" then
            core.fail("lua.argument", ("Model:edit: the change of '%s' must give a value, got a %s"):format(node.name, type(results[i])))
        end
    end
    return results
end

--- A copy of a model in which layers, blocks and functions stand in place of some nodes.
function core.methods.Model.edit(model, changes, options)
    check.object("Model:edit", 0, "model", model, "Model")
    if type(changes) ~= "table" then
        core.fail("lua.argument", ("Model:edit: argument 1 (changes) must be a table, got a %s"):format(type(changes)))
    end
    options = check.options("Model:edit", options)
    local nodes, outputs = core.nodes(model)
    local keys, names = chosen(nodes, changes), {}
    for name in pairs(keys) do names[#names + 1] = name end
    local network, values = core.edit(model, names, options.name, options.seed)
    for _, node in ipairs(nodes) do
        local given, results = {}, nil
        for i, input in ipairs(node.inputs) do given[i] = values[input] end
        if keys[node.name] then
            results = changed(network, node, changes[keys[node.name]], given)
        else
            results = { network:keep(node.name, table.unpack(given)) }
        end
        for i, output in ipairs(node.outputs) do values[output] = results[i] end
    end
    local results = {}
    for i, name in ipairs(options.outputs or outputs) do
        if values[name] == nil then check.missing("Model:edit: " .. model.name, name, values) end
        results[i] = values[name]
    end
    if #results == 0 then core.fail("lua.argument", "Model:edit: option 'outputs' must name at least one value") end
    return network:finish(table.unpack(results))
end
