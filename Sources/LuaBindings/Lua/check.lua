-- Checks of arguments, for functions written in Lua.
local core = require "moonrail.core"

local check = {}

--- An options table: an unknown key is an error that names the nearest.
--- `known` maps every option to the type or class it must have ("number", "table|string", "Model", …), checked where it is
--- given.
function check.options(where, options, known)
    options = options or {}
    if type(options) ~= "table" then core.fail("lua.argument", ("%s: options must be a table, got a %s"):format(where, type(options))) end
    for key, value in pairs(options) do
        local wanted = known[key]
        if not wanted then
            local names = {}
            for name in pairs(known) do names[#names + 1] = name end
            table.sort(names)
            local near = core.nearest(tostring(key), names)
            core.fail("lua.unknownOption", ("%s: unknown option '%s'%s"):format(where, tostring(key), near and (" (did you mean '%s'?)"):format(near) or ""))
        end
        local kind, fits = type(value), false
        if kind == "userdata" and type(getmetatable(value)) == "string" then kind = getmetatable(value) end
        for name in wanted:gmatch("[^|]+") do fits = fits or name == kind end
        if not fits then
            local words = (wanted:gsub("%a+", function(name) return (name:find "^[AEIOU]" and "an " or "a ") .. name end):gsub("|", " or "))
            core.fail("lua.argument", ("%s: option '%s' must be %s, got a %s (%s)"):format(where, key, words, kind, tostring(value)))
        end
    end
    return options
end

--- An object of the toolkit's class `wanted` as argument `position`.
function check.object(where, position, name, value, wanted)
    local got = getmetatable(value)
    if got == wanted then return end
    got = type(got) == "string" and got or type(value)
    core.fail("lua.argument", ("%s: argument %d (%s) must be a %s, got a %s"):format(where, position, name, wanted, got))
end

--- Something that can be called as argument `position`.
function check.callable(where, position, name, value)
    local meta = getmetatable(value)
    if type(value) == "function" or (type(meta) == "table" and meta.__call) then return end
    core.fail("lua.argument", ("%s: argument %d (%s) must be a function, got a %s"):format(where, position, name, type(value)))
end

--- Raises that `key` is no name among those of the tables or lists `...`, with the nearest of them.
function check.missing(where, key, ...)
    local names = {}
    for _, source in ipairs { ... } do
        for name, value in pairs(source) do names[#names + 1] = type(name) == "string" and name or value end
    end
    table.sort(names)
    local near = core.nearest(tostring(key), names)
    core.fail("lua.unknownMember", ("%s has no '%s'%s"):format(where, tostring(key), near and (" (did you mean '%s'?)"):format(near) or ""))
end

--- Makes reading a field that `table` has not an error. What reads fields that may be missing takes rawget.
function check.strict(where, table)
    return setmetatable(table, { __index = function(_, key) check.missing(where, key, table) end })
end

return check
