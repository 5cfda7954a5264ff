-- Help from the description of the API: help.about "mr.plan" gives what `?mr.plan` shows, help.entries all of it.
local core = require "moonrail.core"
local source = require "moonrail.meta_source"
local topics = require "moonrail.topics"

local help = { entries = {}, fields = {} }
local byname, fields = {}, help.fields

-- A block of comment lines belongs to the function below it; the fields of a class to the class.
local function collect()
    local text, notes, class = {}, {}, nil
    for line in source:gmatch "[^\n]*" do
        local note, comment = line:match "^%-%-%-@(.*)", line:match "^%-%-%- ?(.*)"
        local name, arguments = line:match "^function ([%w_.:]+)(%b())"
        if note then
            notes[#notes + 1] = note
            class = note:match "^class ([%w_]+)" or class
            local field = note:match "^field (.*)"
            if field and class then
                fields[class] = fields[class] or {}
                table.insert(fields[class], field)
            end
        elseif comment then
            text[#text + 1] = comment
        elseif name then
            local entry = { name = name, arguments = arguments, text = table.concat(text, "\n"), notes = notes }
            help.entries[#help.entries + 1] = entry
            byname[name] = entry
            text, notes = {}, {}
        else
            text, notes, class = {}, {}, nil
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

-- The first sentence, cut where a line of 80 columns ends.
local function summary(text, width)
    text = text:gsub("%s+", " ")
    text = text:match "^(.-[.:])%s" or text
    text = text:gsub("[.:]$", "")
    if (utf8.len(text) or #text) <= width then return text end
    return text:sub(1, (utf8.offset(text, width) or #text + 1) - 1) .. "…"
end

-- Words in lines of 80 columns, from the second on with `indent` in front. `first` is what stands before the text already.
local function wrapped(text, indent, first)
    local lines, line, length = {}, first or indent, utf8.len(first or indent)
    local isEmpty = true
    for word in text:gmatch "%S+" do
        local size = utf8.len(word) or #word
        if not isEmpty and length + 1 + size > 80 then
            lines[#lines + 1] = line
            line, length, isEmpty = indent, #indent, true
        end
        line = line .. (isEmpty and "" or " ") .. word
        length, isEmpty = length + size + (isEmpty and 0 or 1), false
    end
    lines[#lines + 1] = line
    return table.concat(lines, "\n")
end

-- A topic: paragraphs are wrapped, indented lines are code and stay.
local function laid_out(text)
    local out, paragraph = {}, {}
    local function flush()
        if #paragraph > 0 then out[#out + 1] = wrapped(table.concat(paragraph, " "), "") end
        paragraph = {}
    end
    for line in (text .. "\n"):gmatch "(.-)\n" do
        if line == "" or line:find "^    " then
            flush()
            out[#out + 1] = line
        else
            paragraph[#paragraph + 1] = line
        end
    end
    flush()
    return table.concat(out, "\n")
end

-- The name and type of an option, with the default that stands in for it.
local function option_head(option)
    local default = option.default
    if type(default) == "string" then default = ('"%s"'):format(default) end
    if type(default) == "table" then default = "{ " .. table.concat(default, ", ") .. " }" end
    return ("%s%s: %s"):format(option.name, option.required and "" or "?", option.kind), default ~= nil and (" = " .. tostring(default)) or ""
end

-- A line or two for each option of a class of options.
local function option_lines(options, indent)
    local lines = {}
    for _, option in ipairs(options) do
        local head, default = option_head(option)
        lines[#lines + 1] = wrapped(option.text, indent .. "    ", indent .. head .. default .. "  ")
        local inner = core.options(option.kind)
        if inner then lines[#lines + 1] = option_lines(inner, indent .. "  ") end
    end
    return table.concat(lines, "\n")
end

-- What a function takes or gives: `data: Dataset`, and the options one after another.
local function note_text(note)
    local name, kind = note:match "^param ([%w_]+%??) (.*)$"
    if name then
        local options = core.options(kind)
        if options and #options > 0 then return ("  %s:\n%s"):format(name, option_lines(options, "    ")) end
        return wrapped(kind, "      ", ("  %s: "):format(name))
    end
    local result = note:match "^return (.*)$"
    return result and wrapped(result, "      ", "  → ") or "  @" .. note
end

-- Names in a column, each with the beginning of its text.
local function listing(found)
    local width, lines = 0, {}
    for _, item in ipairs(found) do width = math.max(width, #item.name) end
    width = math.min(width, 30)
    for i, item in ipairs(found) do
        lines[i] = ("  %s%s  %s"):format(item.name, (" "):rep(width - #item.name), summary(item.text, 74 - math.max(width, #item.name)))
    end
    return lines
end

-- Whatever begins with `name` and a dot or a colon: a module's functions, a class's methods.
local function inside(name)
    local found = {}
    for _, entry in ipairs(help.entries) do
        local owner = entry.name:match "^(.*)[.:][%w_]+$"
        if owner == name or owner == "mr." .. name then found[#found + 1] = entry end
    end
    return found
end

local function about_group(name)
    local found = inside(name)
    if #found == 0 and not fields[name] then return nil end
    local lines = { name }
    for _, field in ipairs(fields[name] or {}) do
        local key, kind = field:match "^([%w_]+%??) (.*)$"
        lines[#lines + 1] = wrapped(kind, "      ", ("  .%s: "):format(key))
    end
    for _, line in ipairs(listing(found)) do lines[#lines + 1] = line end
    return table.concat(lines, "\n")
end

-- The modules and the classes that have functions, in the order in which they are described.
local function owners()
    local modules, classes, known = {}, {}, {}
    for _, entry in ipairs(help.entries) do
        local owner = entry.name:match "^(.*)[.:][%w_]+$"
        if owner and not known[owner] then
            known[owner] = true
            table.insert(owner:find "^mr%f[.\0]" and modules or classes, owner)
        end
    end
    return modules, classes
end

local function overview()
    local lines = { "Topics, such as ?start:" }
    for _, line in ipairs(listing(topics)) do lines[#lines + 1] = line end
    local modules, classes = owners()
    lines[#lines + 1] = "Modules, such as ?mr.data:\n" .. wrapped(table.concat(modules, ", "), "  ")
    lines[#lines + 1] = "Classes, such as ?Model:\n" .. wrapped(table.concat(classes, ", "), "  ")
    return table.concat(lines, "\n")
end

--- The text for `name`: a function, a method, a module, a class or a topic; nil where there is none. All there is for "".
function help.about(name)
    if name == "" then return overview() end
    for _, topic in ipairs(topics) do
        if topic.name == name then return laid_out(topic.text) end
    end
    local group = not byname[name] and not byname["mr." .. name] and about_group(name)
    if group then return group end
    local entry = find(name)
    if not entry then return nil end
    local lines = { entry.name .. entry.arguments, wrapped(entry.text, "  ") }
    for _, note in ipairs(entry.notes) do lines[#lines + 1] = note_text(note) end
    return table.concat(lines, "\n")
end

--- What mentions `word`, whatever its case: one line for each topic and name, those that bear it first.
function help.search(word)
    word = word:lower()
    local named, mentioned = {}, {}
    local function look(item, mark, notes)
        local shown = { name = mark .. item.name, text = item.text }
        if item.name:lower():find(word, 1, true) then
            named[#named + 1] = shown
        elseif (item.text .. notes):lower():find(word, 1, true) then
            mentioned[#mentioned + 1] = shown
        end
    end
    for _, topic in ipairs(topics) do look(topic, "?", "") end
    for _, entry in ipairs(help.entries) do look(entry, "", table.concat(entry.notes, "\n")) end
    table.move(mentioned, 1, #mentioned, #named + 1, named)
    return listing(named)
end

-- The notes of a function as lines of Markdown: its parameters and what it gives.
local function signature(notes)
    local lines = {}
    for _, note in ipairs(notes) do
        local name, kind = note:match "^param ([%w_]+%??) (.*)$"
        local result = note:match "^return (.*)$"
        if name then lines[#lines + 1] = ("- `%s`: `%s`"):format(name, kind) end
        for _, option in ipairs(name and core.options(kind) or {}) do
            local head, default = option_head(option)
            lines[#lines + 1] = ("  - `%s`%s. %s"):format(head, default, option.text:gsub("[*<>%[%]]", "\\%0"))
        end
        if result then lines[#lines + 1] = ("- gives `%s`"):format(result) end
    end
    return table.concat(lines, "\n")
end

--- The whole description as an article in Markdown, by modules and classes.
function help.reference()
    local out = {
        "# Lua reference", "", "Every function and method that scripts have.", "",
        "## Overview", "", "`moonrail meta` writes this page from the description that also feeds the prompt's help.", "",
    }
    local sections, order = {}, {}
    for _, entry in ipairs(help.entries) do
        local owner = entry.name:match "^(.*)[.:][%w_]+$"
        if not sections[owner] then
            sections[owner] = {}
            order[#order + 1] = owner
        end
        table.insert(sections[owner], entry)
    end
    table.sort(order)
    for _, owner in ipairs(order) do
        out[#out + 1] = ("## %s\n"):format(owner)
        for _, field in ipairs(fields[owner] or {}) do
            local name, kind = field:match "^([%w_]+%??) (.*)$"
            out[#out + 1] = ("- `.%s`: `%s`"):format(name, kind)
        end
        if fields[owner] then out[#out + 1] = "" end
        for _, entry in ipairs(sections[owner]) do
            local notes = signature(entry.notes)
            -- What Markdown would take for emphasis or links stays as it is.
            local text = entry.text:gsub("[*<>%[%]]", "\\%0")
            out[#out + 1] = ("### %s%s\n\n%s\n"):format(entry.name, entry.arguments, text)
            if notes ~= "" then out[#out + 1] = notes .. "\n" end
        end
    end
    return (table.concat(out, "\n"):gsub("\n+$", "")) .. "\n"
end

--- The keys of the options table of `name`, for completion, or of the table that is its option `inner`.
function help.option_keys(name, inner)
    local entry, keys = find(name), {}
    local options = entry and core.options(entry.name) or {}
    if inner then
        local kind
        for _, option in ipairs(options) do kind = option.name == inner and option.kind or kind end
        options = kind and core.options(kind) or {}
    end
    for i, option in ipairs(options) do keys[i] = option.name end
    return keys
end

return help
