-- What several rows have in common: Rows:group, Rows:mean and Rows:join.
local core = require "moonrail.core"
local check = require "moonrail.check"
local rows = require "moonrail.rows"

local methods = rows.methods

-- What tells a value of a column from all others. 1 and 1.0 are the same number; 1 and "1" are not the same.
local function identity(value)
    if type(value) ~= "number" then return ("%s %s"):format(type(value), tostring(value)) end
    if value ~= value then return "number nan" end
    return math.tointeger(value) and ("number %d"):format(value) or ("number %.17g"):format(value)
end

--- One row for each different value of the column `by`, or of several of them, in the order in which they first
--- occur: with `count`, and `rows`, those that share it.
function methods.group(list, by)
    local keys = type(by) == "table" and by or { by }
    if #keys == 0 then core.fail("lua.argument", "Rows:group: needs a column, or a list of columns") end
    local groups, found = {}, {}
    for _, row in ipairs(list) do
        local parts = {}
        for i, key in ipairs(keys) do parts[i] = identity(row[key]) end
        local id = table.concat(parts, "\0")
        local group = found[id]
        if not group then
            group = { count = 0, rows = rows.wrap({}, rows.view(list)) }
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
    for _, column in ipairs(rows.columns(list)) do
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
    options = check.options("Rows:mean", options)
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
    options = check.options("Rows:join", options)
    if type(other) ~= "table" then core.fail("lua.argument", "Rows:join: argument 1 (other) must be rows, got a " .. type(other)) end
    on = on or "name"
    local partners, added, seen = {}, {}, {}
    for i, row in ipairs(other) do
        local key = row[on]
        -- What is not a number equals nothing, so it has no partner.
        if key ~= nil and key == key then
            if partners[key] then core.fail("lua.argument", ("Rows:join: %s '%s' is twice in the other rows, last in row %d"):format(on, tostring(key), i)) end
            partners[key] = row
        end
    end
    for _, column in ipairs(rows.columns(list)) do seen[column[1]] = true end
    for _, column in ipairs(rows.columns(other)) do
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
    local view = { title = (rows.view(list) or {}).title }
    for _, column in ipairs(rows.columns(list)) do view[#view + 1] = column end
    for _, column in ipairs(added) do view[#view + 1] = column end
    return rows.wrap(new, view)
end
