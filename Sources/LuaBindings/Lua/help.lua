-- Help from the description of the API: help.about "mr.plan" gives what `?mr.plan` shows, help.entries all of it.
local source = require "moonrail.meta_source"

local help = { entries = {} }
local byname = {}

-- A block of comment lines belongs to the function below it.
local function collect()
    local text, notes = {}, {}
    for line in source:gmatch "[^\n]*" do
        local note, comment = line:match "^%-%-%-@(.*)", line:match "^%-%-%- ?(.*)"
        local name, arguments = line:match "^function ([%w_.:]+)(%b())"
        if note then
            notes[#notes + 1] = note
        elseif comment then
            text[#text + 1] = comment
        elseif name then
            local entry = { name = name, arguments = arguments, text = table.concat(text, "\n"), notes = notes }
            help.entries[#help.entries + 1] = entry
            byname[name] = entry
            text, notes = {}, {}
        else
            text, notes = {}, {}
        end
    end
end
collect()

local function find(name)
    if byname[name] then return byname[name] end
    if byname["mr." .. name] then return byname["mr." .. name] end
    -- m:fit or Model.fit: a method is found by its last part.
    local last = name:match "([%w_]+)$"
    for _, entry in ipairs(help.entries) do
        if last and entry.name:match "[.:]([%w_]+)$" == last then return entry end
    end
end

--- The text for `name`, or nil.
function help.about(name)
    local entry = find(name)
    if not entry then return nil end
    local lines = { entry.name .. entry.arguments, "  " .. entry.text:gsub("\n", "\n  ") }
    for _, note in ipairs(entry.notes) do lines[#lines + 1] = "  @" .. note end
    return table.concat(lines, "\n")
end

--- The keys of the options table of `name`, for completion.
function help.option_keys(name)
    local entry, keys = find(name), {}
    for _, note in ipairs(entry and entry.notes or {}) do
        local fields = note:match "^param options%?? {(.*)}$"
        -- Fields of nested tables are not keys of this one.
        for key in (fields and fields:gsub("%b{}", "") or ""):gmatch "([%w_]+):" do keys[#keys + 1] = key end
    end
    return keys
end

return help
