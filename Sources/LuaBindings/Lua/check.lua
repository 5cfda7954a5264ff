-- Checks of arguments, for functions written in Lua.
local core = require "moonrail.core"

local check = {}

-- What Lua calls the types of the description: "number" for `integer`, "table" for `string[]`.
local lua_types = { integer = "number", ["false"] = "boolean", Block = "table", Budget = "table" }

-- Whether a type of Lua or a class is among those of `kind`, and those in words.
local function types_of(kind)
    local types, words = {}, {}
    for one in kind:gsub("%b<>", ""):gmatch "[^|]+" do
        local name = (one:find '^"' and "string") or (one:find "%[%]$" and "table") or lua_types[one] or one
        local word = (one == "false" or one == "Block") and one or name
        if not types[name] then words[#words + 1] = word == "false" and word or (word:find "^[AEIOU]" and "an " or "a ") .. word end
        types[name] = true
    end
    return types, table.concat(words, " or ")
end

-- What the description has of the options of a function: types and words by name, the names, and a metatable of defaults.
local described = setmetatable({}, { __index = function(all, where)
    local found = { known = {}, names = {}, meta = { __index = {} } }
    for i, option in ipairs(core.options(where) or {}) do
        local types, words = types_of(option.kind)
        found.known[option.name], found.names[i] = { types = types, words = words }, option.name
        found.meta.__index[option.name] = option.default
    end
    table.sort(found.names)
    all[where] = found
    return found
end })

--- The options that the function `where` was called with: an unknown name or another type than the description has is an
--- error. The copy that is given has the defaults of the description for what is absent; `pairs` gives what is there.
--- `only` are the names that may be given, where they are fewer than those described.
function check.options(where, options, only)
    if options ~= nil and type(options) ~= "table" then
        core.fail("lua.argument", ("%s: options must be a table, got a %s"):format(where, type(options)))
    end
    local description, given = described[where], {}
    for key, value in pairs(options or {}) do
        local wanted = description.known[key]
        if not wanted or (only and not only[key]) then
            local hint = check.hint(key, only and check.names(only) or description.names)
            core.fail("lua.unknownOption", ("%s: unknown option '%s'%s"):format(where, tostring(key), hint))
        end
        local kind = type(value)
        if kind == "userdata" and type(getmetatable(value)) == "string" then kind = getmetatable(value) end
        if not wanted.types[kind] then
            core.fail("lua.argument", ("%s: option '%s' must be %s, got a %s (%s)"):format(where, key, wanted.words, kind, tostring(value)))
        end
        given[key] = value
    end
    return setmetatable(given, description.meta)
end

--- What the description says that an option is which is not given.
function check.default(where, name) return described[where].meta.__index[name] end

--- The names in a table, sorted.
function check.names(source)
    local names = {}
    for name in pairs(source) do names[#names + 1] = name end
    table.sort(names)
    return names
end

--- Option `images` as a whole number: below 1 it is a share of the images of `data`.
function check.image_count(where, images, data)
    local count = images < 1 and math.floor(images * #data + 0.5) or math.tointeger(images)
    if count and count >= 2 then return count end
    core.fail("lua.argument", ("%s: option 'images' must be a whole number of at least 2, or a share below 1 that makes so many, got %s"):format(where, tostring(images)))
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

--- The end of a message about an unknown `key`: the nearest of `names` in `quotes`, or nothing where none is near.
function check.hint(key, names, quotes)
    local near = core.nearest(tostring(key), names)
    return near and (" (did you mean %s?)"):format((quotes or "'%s'"):format(near)) or ""
end

--- Raises that `key` is no name among those of the tables or lists `...`, with the nearest of them.
function check.missing(where, key, ...)
    local names = {}
    for _, source in ipairs { ... } do
        for name, value in pairs(source) do names[#names + 1] = type(name) == "string" and name or value end
    end
    table.sort(names)
    core.fail("lua.unknownMember", ("%s has no '%s'%s"):format(where, tostring(key), check.hint(key, names)))
end

--- Makes reading a field that `table` has not an error. What reads fields that may be missing takes rawget.
function check.strict(where, table)
    return setmetatable(table, { __index = function(_, key) check.missing(where, key, table) end })
end

return check
