-- Results as plain arrays of rows that print as tables: sort them, filter them, edit them, save them.
local core = require "moonrail.core"
local check = require "moonrail.check"

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
    -- Four digits, but no powers of ten for what a person counts in thousands.
    if math.type(value) == "float" then return (math.abs(value) >= 1e4 and math.abs(value) < 1e12 and "%.0f" or "%.4g"):format(value) end
    if type(value) == "table" then
        local parts = {}
        for i, part in ipairs(value) do parts[i] = tostring(part) end
        return table.concat(parts, ",")
    end
    return tostring(value)
end

--- A value as a cell shows it: floats with at least four digits, arrays with commas.
rows.text = text_of

-- The columns of a view that have a value in some row; all of them where there are no rows.
local function occupied(view, list)
    if #list == 0 then return view end
    local columns = { title = view.title, footer = view.footer, draw = view.draw }
    for _, column in ipairs(view) do
        for _, row in ipairs(list) do
            if row[column[1]] ~= nil then
                columns[#columns + 1] = column
                break
            end
        end
    end
    return columns
end

-- Without a view, the columns are the names found in the first row, in alphabetical order.
local function columns_of(list)
    local view = views[list]
    if view then return occupied(view, list) end
    local columns = {}
    for name, value in pairs(list[1] or {}) do
        local kind = type(value)
        if type(name) == "string" and kind ~= "userdata" and kind ~= "function" and (kind ~= "table" or not getmetatable(value)) then
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
        -- Without the blanks at the end; a pattern that begins with them would try every run of blanks on the way.
        return table.concat(parts, "  "):match "^.*%S" or ""
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
    __name = "Rows",
    __tostring = render,
    -- rows[name]: a method, or the row whose name, layer or policy it is.
    __index = function(list, key)
        if methods[key] then return methods[key] end
        if type(key) == "string" then
            for _, row in ipairs(list) do
                if type(row) == "table" and (row.name == key or row.layer == key) then return row end
            end
            -- Fields and rows may be missing, and a script may ask for them; what is nearly a method was meant as one.
            local names = {}
            for name in pairs(methods) do names[#names + 1] = name end
            table.sort(names)
            local near = core.nearest(key, names)
            if near then error(("Rows has no '%s' (did you mean '%s'?)"):format(key, near), 2) end
        end
    end,
    __members = methods,
}

--- Gives an array of rows its printing and methods. `view` is a list of { key, heading, format } with an optional
--- title, footer and draw (rows, options -> drawing); without one the names of the first row are the columns.
function rows.wrap(list, view)
    if type(list) ~= "table" then error("mr.rows: argument 1 (list) must be an array of rows, got a " .. type(list), 2) end
    if view ~= nil and type(view) ~= "table" then
        error("mr.rows: argument 2 (view) must be a list of columns, got a " .. type(view), 2)
    end
    for i, row in ipairs(list) do
        if type(row) ~= "table" then error(("mr.rows: row %d must be a table, got a %s"):format(i, type(row)), 2) end
    end
    for i, column in ipairs(view or {}) do
        local kind = type(column) == "table" and type(column[3])
        if not kind or column[1] == nil or type(column[2]) ~= "string" or (kind ~= "nil" and kind ~= "function") then
            error(("mr.rows: column %d of the view must be { key, heading, format }, with a text and a function"):format(i), 2)
        end
    end
    views[list] = view
    return setmetatable(list, meta)
end

--- The view that `list` was given, or nil.
function rows.view(list) return views[list] end

-- What stands beside the rows, such as the data that a plan was whitened by, belongs to every selection of them.
local function derive(list, new)
    for name, value in pairs(list) do
        if math.type(name) ~= "integer" then new[name] = value end
    end
    local view = views[list]
    if view then
        local copy = {}
        for k, v in pairs(view) do copy[k] = v end
        copy.footer = nil
        view = copy
    end
    return rows.wrap(new, view)
end

--- The rows by `key`, a column or a function of the row, largest first; `ascending = true` for the other way. Rows
--- without it come last.
function methods.sort(list, key, options)
    options = check.options("Rows:sort", options, { ascending = "boolean" })
    local ascending = options.ascending
    local new, position, values = {}, {}, {}
    for i, row in ipairs(list) do new[i] = row end
    for i, row in ipairs(new) do
        position[row] = i
        if type(key) == "function" then values[row] = key(row) else values[row] = row[key] end
    end
    table.sort(new, function(a, b)
        local x, y = values[a], values[b]
        if x == y then return position[a] < position[b] end
        if x == nil then return false end
        if y == nil then return true end
        if type(x) ~= type(y) then
            error(("Rows:sort: '%s' holds a %s and a %s, which have no order"):format(tostring(key), type(x), type(y)), 0)
        end
        if ascending then return x < y end
        return x > y
    end)
    return derive(list, new)
end

--- The first `count` rows.
function methods.top(list, count)
    local most = math.tointeger(count)
    if not most or most < 0 then
        error(("Rows:top: argument 1 (count) must be a whole number of at least 0, got %s"):format(tostring(count)), 2)
    end
    local new = {}
    for i, row in ipairs(list) do
        if i > most then break end
        new[i] = row
    end
    return derive(list, new)
end

--- The rows for which `keep(row)` is true.
function methods.filter(list, keep)
    check.callable("Rows:filter", 1, "keep", keep)
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

--- One row for each different value of the column `by`, or of several of them, in the order in which they first
--- occur: with `count`, and `rows`, those that share it.
function methods.group(list, by)
    local keys = type(by) == "table" and by or { by }
    if #keys == 0 then error("Rows:group: needs a column, or a list of columns", 2) end
    local groups, found = {}, {}
    for _, row in ipairs(list) do
        local parts = {}
        for i, key in ipairs(keys) do parts[i] = ("%s %s"):format(math.type(row[key]) or type(row[key]), tostring(row[key])) end
        local id = table.concat(parts, "\0")
        local group = found[id]
        if not group then
            group = { count = 0, rows = rows.wrap({}, views[list]) }
            for _, key in ipairs(keys) do group[key] = row[key] end
            groups[#groups + 1], found[id] = group, group
        end
        group.count = group.count + 1
        group.rows[group.count] = row
    end
    local view = {}
    for i, key in ipairs(keys) do view[i] = { key, key } end
    view[#view + 1] = { "count", "count" }
    return rows.wrap(groups, view)
end

-- The columns that hold numbers and are no key, in the order in which they print.
local function numeric_columns(list, keys)
    local taken, columns = { count = true }, {}
    for _, key in ipairs(keys) do taken[key] = true end
    for _, column in ipairs(columns_of(list)) do
        local key = column[1]
        for _, row in ipairs(taken[key] and {} or list) do
            if type(row[key]) == "number" then
                columns[#columns + 1], taken[key] = { key, column[2], column[3] }, true
                break
            end
        end
    end
    return columns
end

local function moments(list, key)
    local sum, count = 0, 0
    for _, row in ipairs(list) do
        if type(row[key]) == "number" then sum, count = sum + row[key], count + 1 end
    end
    if count == 0 then return nil end
    local mean, squares = sum / count, 0
    for _, row in ipairs(list) do
        if type(row[key]) == "number" then squares = squares + (row[key] - mean) ^ 2 end
    end
    return mean, count > 1 and math.sqrt(squares / (count - 1)) or nil
end

--- The means of the columns that hold numbers: one row for each different value of `by` (a column or several), or one of
--- all rows. With deviation = true also their sample deviations, as accuracy_sd for accuracy.
function methods.mean(list, by, options)
    options = check.options("Rows:mean", options, { deviation = "boolean" })
    local keys = type(by) == "table" and by or { by }
    local columns = numeric_columns(list, keys)
    local groups
    if by == nil then
        local all = methods.filter(list, function() return true end)
        groups = rows.wrap({ { count = #all, rows = all } }, { { "count", "count" } })
    else
        groups = methods.group(list, by)
    end
    local view = rows.view(groups)
    for _, column in ipairs(columns) do
        view[#view + 1] = column
        if options.deviation then view[#view + 1] = { column[1] .. "_sd", "±", column[3] } end
    end
    for _, group in ipairs(groups) do
        for _, column in ipairs(columns) do
            local key = column[1]
            local mean, deviation = moments(group.rows, key)
            group[key] = mean
            if options.deviation then group[key .. "_sd"] = deviation end
        end
        group.rows = nil
    end
    return groups
end

--- Each row with the fields of the row of `other` that has the same value in column `on` ("name"); a field that both
--- have stays as it is here. Rows without a partner stay alone, or with inner = true are left out.
function methods.join(list, other, on, options)
    options = check.options("Rows:join", options, { inner = "boolean" })
    if type(other) ~= "table" then error("Rows:join: argument 1 (other) must be rows, got a " .. type(other), 2) end
    on = on or "name"
    local partners, added, seen = {}, {}, {}
    for i, row in ipairs(other) do
        local key = row[on]
        if key ~= nil then
            if partners[key] then error(("Rows:join: %s '%s' is twice in the other rows, last in row %d"):format(on, tostring(key), i), 2) end
            partners[key] = row
        end
    end
    for _, column in ipairs(columns_of(list)) do seen[column[1]] = true end
    for _, column in ipairs(columns_of(other)) do
        if not seen[column[1]] then added[#added + 1] = column end
    end
    local new = {}
    for _, row in ipairs(list) do
        local partner = row[on] ~= nil and partners[row[on]] or nil
        if partner or not options.inner then
            local joined = {}
            for name, value in pairs(partner or {}) do joined[name] = value end
            for name, value in pairs(row) do joined[name] = value end
            new[#new + 1] = joined
        end
    end
    local view = { title = (views[list] or {}).title }
    for _, column in ipairs(columns_of(list)) do view[#view + 1] = column end
    for _, column in ipairs(added) do view[#view + 1] = column end
    return rows.wrap(new, view)
end

--- The rows that `change(row)` gives; without a result a row is left out.
function methods.map(list, change)
    check.callable("Rows:map", 1, "change", change)
    local new = {}
    for _, row in ipairs(list) do
        local changed = change(row)
        if changed ~= nil and type(changed) ~= "table" then
            error("Rows:map: the function must give a row or nil, got a " .. type(changed), 2)
        end
        new[#new + 1] = changed
    end
    return rows.wrap(new)
end

local function without_objects(fields)
    local plain = {}
    for name, value in pairs(fields) do
        if type(value) ~= "userdata" then plain[name] = value end
    end
    return plain
end

--- Writes the columns that print where `path` ends in .csv, and all else as JSON, but for objects such as embeddings, moments or
--- the data that a plan was whitened by.
function methods.save(list, path)
    if type(path) ~= "string" then error("Rows:save: argument 1 (path) must be a string, got a " .. type(path), 2) end
    if path:match("%.csv$") then return core.write_text(path, methods.csv(list)) end
    local plain = without_objects(list)
    for i, row in ipairs(list) do plain[i] = type(row) == "table" and without_objects(row) or row end
    core.write_json(path, plain)
end

rows.methods, rows.columns = methods, columns_of
return rows
