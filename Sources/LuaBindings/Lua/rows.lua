-- Results as plain arrays of rows that print as tables: sort them, filter them, edit them, save them.
local core = require "moonrail.core"

local rows = {}
local methods = {}

-- How a table of rows prints is kept outside the rows, so that they stay plain data.
local views = setmetatable({}, { __mode = "k" })

function rows.grouped(number)
    local digits = ("%d"):format(number)
    local text = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
    return (text:gsub("^,", ""):gsub("^%-,", "-"))
end

function rows.extents(shape) return table.concat(shape, "×") end

function rows.percent(fraction) return ("%.2f %%"):format(100 * fraction) end

function rows.fixed(places)
    return function(number) return ("%." .. places .. "f"):format(number) end
end

--- A bar of eighths of a block, `width` columns for the value 1.
function rows.bar(width)
    local eighths = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }
    return function(value)
        local units = math.floor(math.max(0, math.min(1, value)) * width * 8 + 0.5)
        return ("█"):rep(units // 8) .. (eighths[units % 8] or "")
    end
end

local function width(text)
    return utf8.len(text) or #text
end

local function text_of(value)
    if value == nil then return "" end
    if math.type(value) == "float" then return ("%.4g"):format(value) end
    if type(value) == "table" then
        local parts = {}
        for i, part in ipairs(value) do parts[i] = tostring(part) end
        return table.concat(parts, ",")
    end
    return tostring(value)
end

--- A value as a cell shows it: floats with four digits, arrays with commas.
rows.text = text_of

-- Without a view, the columns are the names found in the first row, in alphabetical order.
local function columns_of(list)
    local view = views[list]
    if view then return view end
    local columns = {}
    for name, value in pairs(list[1] or {}) do
        if type(name) == "string" and type(value) ~= "userdata" and type(value) ~= "function" then
            columns[#columns + 1] = { name, name }
        end
    end
    table.sort(columns, function(a, b) return a[1] < b[1] end)
    return columns
end

local function render(list)
    local columns = columns_of(list)
    local cells, widths, numeric = {}, {}, {}
    for c, column in ipairs(columns) do
        widths[c], numeric[c] = width(column[2]), true
    end
    for r, row in ipairs(list) do
        cells[r] = {}
        for c, column in ipairs(columns) do
            local value = row[column[1]]
            local text = value ~= nil and column[3] and column[3](value, row) or text_of(value)
            cells[r][c] = text
            widths[c] = math.max(widths[c], width(text))
            if value ~= nil and (type(value) ~= "number" or column.left) then numeric[c] = false end
        end
    end
    local function line(texts)
        local parts = {}
        for c, text in ipairs(texts) do
            local padding = (" "):rep(widths[c] - width(text))
            parts[c] = numeric[c] and padding .. text or text .. padding
        end
        return (table.concat(parts, "  "):gsub("%s+$", ""))
    end
    local heads, rules, out = {}, {}, {}
    for c, column in ipairs(columns) do
        heads[c], rules[c] = column[2], ("─"):rep(widths[c])
    end
    if columns.title then out[1] = columns.title end
    out[#out + 1] = line(heads)
    out[#out + 1] = table.concat(rules, "  ")
    for r in ipairs(list) do out[#out + 1] = line(cells[r]) end
    if columns.footer then out[#out + 1] = columns.footer end
    return table.concat(out, "\n")
end

local meta = {
    __name = "rows",
    __tostring = render,
    -- rows[name]: a method, or the row whose name, layer or policy it is.
    __index = function(list, key)
        if methods[key] then return methods[key] end
        if type(key) == "string" then
            for _, row in ipairs(list) do
                if type(row) == "table" and (row.name == key or row.layer == key) then return row end
            end
        end
    end,
}

--- Gives an array of rows its printing and methods. `view` is a list of { key, heading, format } with an optional
--- title, footer and draw (rows, options -> drawing); without one the names of the first row are the columns.
function rows.wrap(list, view)
    views[list] = view
    return setmetatable(list, meta)
end

--- The view that `list` was given, or nil.
function rows.view(list) return views[list] end

local function derive(list, new)
    local view = views[list]
    if view then
        local copy = {}
        for k, v in pairs(view) do copy[k] = v end
        copy.footer = nil
        view = copy
    end
    return rows.wrap(new, view)
end

--- The rows by `key`, largest first; `ascending = true` for the other way. Rows without the key come last.
function methods.sort(list, key, options)
    local ascending = options and options.ascending
    local new = { table.unpack(list) }
    local position = {}
    for i, row in ipairs(new) do position[row] = i end
    table.sort(new, function(a, b)
        local x, y = a[key], b[key]
        if x == y then return position[a] < position[b] end
        if x == nil then return false end
        if y == nil then return true end
        if ascending then return x < y end
        return x > y
    end)
    return derive(list, new)
end

--- The first `count` rows.
function methods.top(list, count) return derive(list, { table.unpack(list, 1, math.min(count, #list)) }) end

--- The rows for which `keep(row)` is true.
function methods.filter(list, keep)
    local new = {}
    for _, row in ipairs(list) do
        if keep(row) then new[#new + 1] = row end
    end
    return derive(list, new)
end

--- The values of one column.
function methods.column(list, key)
    local values = {}
    for i, row in ipairs(list) do values[i] = row[key] end
    return values
end

function methods.save(list, path)
    if path:match("%.csv$") then return core.write_text(path, methods.csv(list)) end
    core.write_json(path, list)
end

--- The columns that print, as comma-separated values.
function methods.csv(list)
    local function quote(text) return text:find('[,"\n]') and '"' .. text:gsub('"', '""') .. '"' or text end
    local out, heads = {}, {}
    local columns = columns_of(list)
    for c, column in ipairs(columns) do heads[c] = quote(column[1]) end
    out[1] = table.concat(heads, ",")
    for r, row in ipairs(list) do
        local cells = {}
        for c, column in ipairs(columns) do
            local value = row[column[1]]
            cells[c] = quote(type(value) == "number" and ("%.10g"):format(value) or text_of(value))
        end
        out[r + 1] = table.concat(cells, ",")
    end
    return table.concat(out, "\n") .. "\n"
end

rows.methods = methods
return rows
