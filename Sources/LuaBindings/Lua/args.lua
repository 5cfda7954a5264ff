-- Command-line options of a recipe from a table of their defaults:
--     local args = mr.args { model = "a.safetensors", keep = 0.5, epochs = 1, tune = true }
-- reads `--keep 0.3 --tune false` or `--keep=0.3`, with the types of the defaults.
local core = require "moonrail.core"

local function convert(name, text, default)
    if type(default) == "string" then return text end
    if type(default) == "boolean" then
        if text == "true" or text == "yes" then return true end
        if text == "false" or text == "no" then return false end
        error(("option --%s must be true or false, got '%s'"):format(name, text), 0)
    end
    local number = tonumber(text)
    if math.type(default) == "integer" then number = math.tointeger(number) end
    if not number then
        local kind = math.type(default) == "integer" and "a whole number" or "a number"
        error(("option --%s must be %s, got '%s'"):format(name, kind, text), 0)
    end
    return number
end

local function help(defaults, names)
    local lines = { ("usage: moonrail run %s [--name value …]"):format(arg and arg[0] or "recipe.lua"), "", "options:" }
    for _, name in ipairs(names) do
        lines[#lines + 1] = ("  --%-16s %s"):format(name, tostring(defaults[name]))
    end
    print(table.concat(lines, "\n"))
    os.exit(0)
end

return function(defaults)
    local names, values = {}, {}
    for name, default in pairs(defaults) do
        names[#names + 1] = name
        values[name] = default
    end
    table.sort(names)
    local given = rawget(_G, "arg") or {}
    local i = 1
    while i <= #given do
        local word = tostring(given[i])
        local name, text = word:match("^%-%-([%w_-]+)=?(.*)$")
        if not name then error(("unexpected argument '%s'; options are --name value"):format(word), 0) end
        name = name:gsub("-", "_")
        if name == "help" then help(defaults, names) end
        if defaults[name] == nil then
            local near = core.nearest(name, names)
            error(("unknown option --%s%s"):format(name, near and (" (did you mean --%s?)"):format(near) or ""), 0)
        end
        if not word:find("=", 1, true) then
            local following = given[i + 1]
            if type(defaults[name]) == "boolean" and (following == nil or tostring(following):find("^%-%-")) then
                text = "true"
            elseif following == nil then
                error(("option --%s needs a value"):format(name), 0)
            else
                text, i = tostring(following), i + 1
            end
        end
        values[name] = convert(name, text, defaults[name])
        i = i + 1
    end
    return values
end
