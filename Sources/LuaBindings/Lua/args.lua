-- Command-line options of a recipe from a table of their defaults:
--     local args = mr.args { model = "a.safetensors", keep = 0.5, seeds = { 1, 2 }, tune = true,
--         policy = { default = "lwiq", help = "how ranks are chosen", choices = { "lwiq", "uniform" } } }
-- reads `--keep 0.3 --seeds 1,2,3 --tune false` or `--keep=0.3`, with the types of the defaults; `--help` lists them.
local core = require "moonrail.core"
local check = require "moonrail.check"

local known = { default = true, help = true, choices = true }

local function unknown(what, name, names, dashes)
    table.sort(names)
    return what .. tostring(name) .. check.hint(name, names, dashes .. "%s")
end

-- An option as { default, help, choices }: from its default alone, or from a table that says more.
local function option(name, given)
    if type(given) ~= "table" or given.default == nil then
        if type(given) == "function" or type(given) == "userdata" or (type(given) == "table" and next(given) ~= nil and given[1] == nil) then
            core.fail("lua.argument", ("mr.args: the default of '%s' must be a number, a text, a boolean or a list, got a %s"):format(name, type(given)))
        end
        return { default = given }
    end
    for key in pairs(given) do
        if not known[key] then
            core.fail("lua.unknownOption", unknown(("mr.args: option '%s': unknown key "):format(name), key, { "default", "help", "choices" }, ""))
        end
    end
    return given
end

local function convert(name, text, default)
    if type(default) == "string" then return text end
    if type(default) == "boolean" then
        if text == "true" or text == "yes" then return true end
        if text == "false" or text == "no" then return false end
        core.fail("args.commandLine", ("option --%s must be true or false, got '%s'"):format(name, text))
    end
    if type(default) == "table" then
        local list = {}
        for word in text:gmatch "[^,]+" do list[#list + 1] = convert(name, word, default[1] or "") end
        return list
    end
    local number = tonumber(text)
    if math.type(default) == "integer" then number = math.tointeger(number) end
    if not number then
        local kind = math.type(default) == "integer" and "a whole number" or "a number"
        core.fail("args.commandLine", ("option --%s must be %s, got '%s'"):format(name, kind, text))
    end
    return number
end

local function check_choice(name, value, choices)
    if not choices then return end
    local names = {}
    for i, choice in ipairs(choices) do
        if choice == value then return end
        names[i] = tostring(choice)
    end
    core.fail("args.commandLine", ("option --%s must be one of %s, got '%s'"):format(name, table.concat(names, ", "), tostring(value)))
end

local function text_of(value)
    if type(value) ~= "table" then return tostring(value) end
    local words = {}
    for i, word in ipairs(value) do words[i] = tostring(word) end
    return table.concat(words, ",")
end

local function help(options, names)
    local given = rawget(_G, "arg")
    local lines = { ("usage: moonrail run [--quiet] %s [--name value …]"):format(given and given[0] or "recipe.lua"), "", "options:" }
    local width = 0
    for _, name in ipairs(names) do width = math.max(width, #name) end
    for _, name in ipairs(names) do
        local entry = options[name]
        local notes = {}
        if entry.help then notes[#notes + 1] = entry.help end
        if entry.choices then notes[#notes + 1] = "one of " .. text_of(entry.choices):gsub(",", ", ") end
        local default = text_of(entry.default)
        notes[#notes + 1] = default == "" and "default: none" or "default: " .. default
        lines[#lines + 1] = ("  --%s  %s"):format(name .. (" "):rep(width - #name), table.concat(notes, "; "))
    end
    print(table.concat(lines, "\n"))
    -- A confined script cannot end its host.
    if not os.exit then core.fail("args.help", "that was the help") end
    os.exit(0, true)
end

return function(defaults)
    if type(defaults) ~= "table" then core.fail("lua.argument", "mr.args: needs a table of defaults, got a " .. type(defaults)) end
    local options, names, values = {}, {}, {}
    for name, default in pairs(defaults) do
        options[name] = option(name, default)
        names[#names + 1] = name
        values[name] = options[name].default
    end
    table.sort(names)
    local given = rawget(_G, "arg") or {}
    local i = 1
    while i <= #given do
        local word = tostring(given[i])
        local name, text = word:match("^%-%-([%w_-]+)=?(.*)$")
        if word == "-h" then name = "help" end
        if not name then core.fail("args.commandLine", ("unexpected argument '%s'; options are --name value"):format(word)) end
        name = name:gsub("-", "_")
        if name == "help" and not options.help then help(options, names) end
        local entry = options[name]
        if not entry and (name == "quiet" or name == "threads") then
            core.fail("args.commandLine", ("option --%s belongs to moonrail run and stands before the script: moonrail run --%s …"):format(name, name))
        end
        if not entry then core.fail("args.commandLine", unknown("unknown option --", name, names, "--")) end
        if not word:find("=", 1, true) then
            local following = given[i + 1]
            if type(entry.default) == "boolean" and (following == nil or tostring(following):find("^%-%-")) then
                text = "true"
            elseif following == nil then
                core.fail("args.commandLine", ("option --%s needs a value"):format(name))
            else
                text, i = tostring(following), i + 1
            end
        end
        values[name] = convert(name, text, entry.default)
        check_choice(name, values[name], entry.choices)
        i = i + 1
    end
    return check.strict("mr.args", values)
end
