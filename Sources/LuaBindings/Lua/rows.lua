-- Results as plain arrays of rows that print as tables: sort them, filter them, edit them, save them.
local core = require "moonrail.core"
local check = require "moonrail.check"

local rows = {}
local methods = {}

-- How a table of rows prints is kept outside the rows, so that they stay plain data.
local views = setmetatable({}, { __mode = "k" })

--- Whole numbers with commas between thousands; what is no whole number stays as it is.
function rows.grouped(number)
    if not math.tointeger(number) then return rows.text(number) end
    local digits = ("%d"):format(number)
    local text = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
    return (text:gsub("^,", ""):gsub("^%-,", "-"))
end

function rows.extents(shape) return table.concat(shape, "×") end

-- The sign that the processor gives a not-a-number says nothing.
local function formatted(format, number) return number ~= number and "nan" or format:format(number) end

function rows.percent(fraction) return formatted("%.2f %%", 100 * fraction) end

function rows.fixed(places)
    return function(number) return formatted("%." .. places .. "f", number) end
end

--- A difference of shares in per cent, with its sign.
function rows.signed(places)
    return function(fraction) return formatted("%+." .. places .. "f %%", 100 * fraction) end
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
    if math.type(value) == "float" then
        return formatted(math.abs(value) >= 1e4 and math.abs(value) < 1e12 and "%.0f" or "%.4g", value)
    end
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
    local columns = { title = view.title, footer = view.footer, draw = view.draw, grows = view.grows }
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

-- Without a view, the columns are the names found in any row, in alphabetical order. Behind those of a view that grows
-- stand the names that came later.
local function columns_of(list)
    local view = views[list]
    if view and not view.grows then return occupied(view, list) end
    local columns, seen, more = view and occupied(view, list) or {}, {}, {}
    for _, column in ipairs(view or {}) do seen[column[1]] = true end
    for _, row in ipairs(list) do
        for name, value in pairs(row) do
            local kind = type(value)
            if type(name) == "string" and not seen[name] and kind ~= "userdata" and kind ~= "function"
                and (kind ~= "table" or not getmetatable(value)) then
                seen[name], more[#more + 1] = true, { name, name }
            end
        end
    end
    table.sort(more, function(a, b) return a[1] < b[1] end)
    return table.move(more, 1, #more, #columns + 1, columns)
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
            local hint = check.hint(key, names)
            if hint ~= "" then core.fail("lua.unknownMember", ("Rows has no '%s'%s"):format(key, hint)) end
        end
    end,
    __members = methods,
}

--- Gives an array of rows its printing and methods. `view` is a list of { key, heading, format } with an optional
--- title, footer, draw (rows, options -> drawing) and grows, with which names that are no column yet become one; without
--- a view the names of all rows are the columns.
function rows.wrap(list, view)
    if type(list) ~= "table" then core.fail("lua.argument", "mr.rows: argument 1 (list) must be an array of rows, got a " .. type(list)) end
    if view ~= nil and type(view) ~= "table" then
        core.fail("lua.argument", "mr.rows: argument 2 (view) must be a list of columns, got a " .. type(view))
    end
    for i, row in ipairs(list) do
        if type(row) ~= "table" then core.fail("lua.argument", ("mr.rows: row %d must be a table, got a %s"):format(i, type(row))) end
    end
    for i, column in ipairs(view or {}) do
        local kind = type(column) == "table" and type(column[3])
        if not kind or column[1] == nil or type(column[2]) ~= "string" or (kind ~= "nil" and kind ~= "function") then
            core.fail("lua.argument", ("mr.rows: column %d of the view must be { key, heading, format }, with a text and a function"):format(i))
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

-- Where a value stands whatever the order: numbers, text and truth values first, then what is not a number, then rows
-- without a value.
local function rank(value)
    if value == nil then return 3 end
    return value ~= value and 2 or 1
end

-- Whether `x` is less than `y`; false is less than true.
local function less(x, y, key)
    local kind = type(x)
    if kind ~= type(y) then
        core.fail("lua.argument", ("Rows:sort: '%s' holds a %s and a %s, which have no order"):format(tostring(key), kind, type(y)))
    end
    if kind == "boolean" then return not x and y end
    if kind ~= "number" and kind ~= "string" then
        core.fail("lua.argument", ("Rows:sort: '%s' holds a %s, which has no order"):format(tostring(key), kind))
    end
    return x < y
end

--- The rows by `key`, a column or a function of the row, largest first; `ascending = true` for the other way. Rows
--- whose value is not a number come behind the others either way, and rows without it last.
function methods.sort(list, key, options)
    options = check.options("Rows:sort", options)
    local ascending = options.ascending
    local entries, new = {}, {}
    for i, row in ipairs(list) do
        local value
        if type(key) == "function" then value = key(row) else value = row[key] end
        entries[i] = { row = row, place = i, value = value, rank = rank(value) }
    end
    table.sort(entries, function(a, b)
        local x, y = a.value, b.value
        if a.rank ~= b.rank then return a.rank < b.rank end
        if a.rank > 1 or x == y then return a.place < b.place end
        if ascending then return less(x, y, key) end
        return less(y, x, key)
    end)
    for i, entry in ipairs(entries) do new[i] = entry.row end
    return derive(list, new)
end

--- The first `count` rows.
function methods.top(list, count)
    local most = math.tointeger(count)
    if not most or most < 0 then
        core.fail("lua.argument", ("Rows:top: argument 1 (count) must be a whole number of at least 0, got %s"):format(tostring(count)))
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

--- The rows that `change(row)` gives; without a result a row is left out.
function methods.map(list, change)
    check.callable("Rows:map", 1, "change", change)
    local new = {}
    for _, row in ipairs(list) do
        local changed = change(row)
        if changed ~= nil and type(changed) ~= "table" then
            core.fail("lua.argument", "Rows:map: the function must give a row or nil, got a " .. type(changed))
        end
        new[#new + 1] = changed
    end
    return rows.wrap(new)
end

-- Without what has no form in a file, such as tensors.
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
    if type(path) ~= "string" then core.fail("lua.argument", "Rows:save: argument 1 (path) must be a string, got a " .. type(path)) end
    if path:match("%.csv$") then return core.write_text(path, methods.csv(list)) end
    local plain = without_objects(list)
    for i, row in ipairs(list) do plain[i] = type(row) == "table" and without_objects(row) or row end
    core.write_json(path, plain)
end

rows.methods, rows.columns = methods, columns_of

--- Names as a text: one, an array of them, or a table of either by pattern.
function rows.names(names)
    if type(names) ~= "table" then return tostring(names) end
    local parts = {}
    for key, own in pairs(names) do parts[#parts + 1] = (type(key) == "string" and key .. ": " or "") .. rows.names(own) end
    table.sort(parts)
    return table.concat(parts, ", ")
end

return rows
