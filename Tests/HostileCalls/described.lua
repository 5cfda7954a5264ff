-- What can be called: every function and method that the description of the API lists, with its places for arguments and
-- options. Returns add(name, call, places), which adds others, and the list.
local subjects = ...
local mr = require "moonrail"
local core = require "moonrail.core"
local help = require "moonrail.help"

-- The places of an entry of the description: arguments, of which the last may be a table of options.
local function places_of(entry)
    local kinds, places = {}, {}
    for _, note in ipairs(entry.notes) do
        local name, kind = note:match "^param ([%w_]+)%?? (.+)$"
        if name then kinds[name] = kind end
    end
    for name in entry.arguments:gmatch "[%w_.]+" do
        if name == "..." then
            for i = 1, subjects.rest[entry.name] or 3 do
                places[#places + 1] = { name = "extent" .. i, kind = "integer", at = #places + 1 }
            end
        else
            local kind = kinds[name] or "any"
            local place = { name = name, kind = kind, at = #places + 1 }
            if kind:find "^%u%w*$" and (name == "options" or name == "entries") then place.options = core.options(kind) end
            places[#places + 1] = place
        end
    end
    return places
end

local function field(path)
    local value = mr
    for name in path:gmatch "[%w_]+" do
        if name ~= "mr" then value = value[name] end
    end
    return value
end

-- Layers are tried in a network of images of 4 channels, values inside of one.
local function in_network(use)
    return mr.nn.graph { image = { 4, 6, 6 }, build = use }(mr.ones(1, 4, 6, 6))
end

local function on_value(name)
    return function(...)
        local arguments = table.pack(...)
        return in_network(function(x) return x[name](x, table.unpack(arguments, 1, arguments.n)) end)
    end
end

-- How slow a function is: of random calls it gets one in so many.
local slowness = {
    ["mr.lwiq.score"] = 200, ["mr.sensitivity"] = 300, ["mr.plan"] = 60, ["Model:fit"] = 150, ["Model:finetune"] = 300,
    ["Model:compress_in_stages"] = 600, ["Model:evaluate"] = 40, ["Model:reestimate"] = 60, ["Model:refit"] = 150,
    ["Model:distill"] = 150, ["Model:repair"] = 100, ["Model:compress"] = 60, ["Model:recompose"] = 20, ["Model:compile"] = 100, ["Model:latency"] = 100,
    ["Model:profile"] = 100, ["Model:profile_rows"] = 100, ["Model:memory"] = 20, ["Model:edit"] = 40, ["mr.zoo.resnet"] = 150,
    ["mr.zoo.vgg"] = 3000, ["mr.zoo.mobilenet_v2"] = 1500, ["mr.zoo.vit"] = 60, ["mr.zoo.lenet5"] = 60, ["mr.zoo.mlp"] = 20, ["mr.compare"] = 100, ["mr.compress"] = 400,
    ["mr.report"] = 20, ["Report:html"] = 60, ["Report:plot"] = 20, ["mr.sweep"] = 20, ["mr.tt.cross"] = 100,
    ["mr.data.fashion_mnist"] = 2000, ["mr.events"] = 30, ["Model:save"] = 30, ["Model:forward"] = 30, ["Model:__call"] = 20,
    ["Gradients:of"] = 30, ["Gradients:get"] = 30, ["Optimizer:step"] = 30, ["EventFile:scalars"] = 20, ["EventFile:settings"] = 20,
    ["EventFile:close"] = 20,
}

local entries = {}

local function add(name, call, places, weight)
    for _, place in ipairs(places) do
        place.valid = subjects.maker(name, place.name, place.kind)
        for _, option in ipairs(place.options or {}) do option.valid = subjects.maker(name, option.name, option.kind) end
    end
    entries[#entries + 1] = { name = name, call = call, places = places, slowness = slowness[name] or weight or 1 }
end

for _, entry in ipairs(help.entries) do
    local class, method = entry.name:match "^(%u%w*):([%w_]+)$"
    if class == "Value" then
        add(entry.name, on_value(method), places_of(entry), 20)
    elseif class then
        local make = subjects.receivers[entry.name] or subjects.classes[class] or error("no subject of class " .. class)
        add(entry.name, function(...)
            local subject = make()
            if method == "__call" then return subject(...) end
            return subject[method](subject, ...)
        end, places_of(entry))
    else
        local f = field(entry.name)
        if entry.name == "mr.threads" then
            -- More threads than processors would make everything after it slow.
            f = function(...)
                local before = mr.threads()
                return mr.threads(...), mr.threads(before)
            end
        end
        add(entry.name, f, places_of(entry), entry.name:find "^mr%.nn%." and 10)
    end
end

return { list = entries, add = add, in_network = in_network }
