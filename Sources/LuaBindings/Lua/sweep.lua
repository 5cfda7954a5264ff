-- mr.sweep: the points of an experiment, their results as rows, and a file from which a second start goes on.
local core = require "moonrail.core"
local rows = require "moonrail.rows"
local plot = require "moonrail.plot"
local check = require "moonrail.check"

-- What is no axis.
local known = { points = true, label = true, log = true }
-- Says in the rows of a sweep why a point failed.
local taken = "failed"

local function fail(text, ...) core.fail("lua.argument", ("mr.sweep: " .. text):format(...)) end

-- An axis as a list of { name, value }: what stands under its string key is named by it, anything else by itself.
local function axis_values(axis, values)
    if type(values) ~= "table" then fail("axis '%s' must be a list of values, got a %s", axis, type(values)) end
    local list, names = {}, {}
    local function add(name, value)
        if type(name) ~= "string" and type(name) ~= "number" and type(name) ~= "boolean" then
            fail("axis '%s': a %s needs a name, as in { name = value }", axis, type(name))
        end
        if name ~= name then fail("axis '%s': a value that is not a number tells no point from another", axis) end
        if names[name] then fail("axis '%s' has the value '%s' twice", axis, tostring(name)) end
        names[name] = true
        list[#list + 1] = { name = name, value = value }
    end
    for _, value in ipairs(values) do add(value, value) end
    local named = {}
    for name in pairs(values) do
        if type(name) == "string" then named[#named + 1] = name end
    end
    table.sort(named)
    for _, name in ipairs(named) do add(name, values[name]) end
    if #list == 0 then fail("axis '%s' has no values", axis) end
    return list
end

-- Every combination of the axes; the last axis in alphabetical order changes fastest.
local function product(axes)
    local points = { { names = {}, values = {} } }
    for _, axis in ipairs(axes) do
        local longer = {}
        for _, point in ipairs(points) do
            for _, entry in ipairs(axis.values) do
                local new = { names = {}, values = {} }
                for key in pairs(point.names) do new.names[key], new.values[key] = point.names[key], point.values[key] end
                new.names[axis.name], new.values[axis.name] = entry.name, entry.value
                longer[#longer + 1] = new
            end
        end
        points = longer
    end
    return points
end

local function from_axes(options)
    local axes = {}
    for name, values in pairs(options) do
        if name == taken then fail("an axis cannot be called '%s', which says of a row why its point failed", taken) end
        if type(name) == "string" and not known[name] then axes[#axes + 1] = { name = name, values = axis_values(name, values) } end
    end
    table.sort(axes, function(a, b) return a.name < b.name end)
    return axes
end

local function from_list(list)
    local points = {}
    for i, values in ipairs(list) do
        if type(values) ~= "table" then fail("points[%d] must be a table of values by name", i) end
        local point = { names = {}, values = values }
        for name, value in pairs(values) do
            if type(name) ~= "string" or type(value) == "table" or type(value) == "function" or type(value) == "userdata"
                or value ~= value then
                fail("points[%d]: '%s' must be a number, a string or a boolean", i, tostring(name))
            end
            if name == taken then fail("points[%d]: '%s' says of a row why its point failed, and is no axis", i, taken) end
            point.names[name] = value
        end
        points[i] = point
    end
    return points
end

-- What tells points apart: their names and values in alphabetical order. 1 and 1.0 are the same number, 1 and "1" are not.
local function key_of(names, axes)
    local parts = {}
    for i, axis in ipairs(axes) do
        local value, text = names[axis], nil
        if type(value) == "number" then
            text = math.tointeger(value) and ("%d"):format(value) or ("%.17g"):format(value)
        else
            text = type(value) == "string" and ("%q"):format(value) or tostring(value)
        end
        parts[i] = ("%s=%s"):format(axis, text)
    end
    return table.concat(parts, ", ")
end

local function sorted_keys(set)
    local names = {}
    for name in pairs(set) do names[#names + 1] = name end
    table.sort(names)
    return names
end

-- The finished points of what a file holds, by key; nil is a file without points yet. A file of other axes is refused
-- rather than mixed with these.
local function finished(saved, path, axes)
    local found = {}
    if saved == nil then return found end
    if type(saved) ~= "table" or type(saved.axes) ~= "table" then fail("%s is no file of a sweep", path) end
    for _, name in ipairs(saved.axes) do
        if type(name) ~= "string" then fail("%s is no file of a sweep: an axis has no name, but is a %s", path, type(name)) end
    end
    if table.concat(saved.axes, ", ") ~= table.concat(axes, ", ") then
        fail("%s holds a sweep over %s, this one is over %s; give it another file", path, table.concat(saved.axes, ", "),
            table.concat(axes, ", "))
    end
    if saved.points ~= nil and type(saved.points) ~= "table" then fail("%s is no file of a sweep: its points are a %s", path, type(saved.points)) end
    for i, row in ipairs(saved.points or {}) do
        if type(row) ~= "table" then fail("%s is no file of a sweep: points[%d] is a %s, not a table", path, i, type(row)) end
        found[key_of(row, axes)] = row
    end
    return found
end

-- A run of its own for TensorBoard: the settings of the point, and the numbers among its results.
local function log_point(directory, names, row)
    local point <close> = core.decimal_point()
    local numbers, parts = {}, {}
    for _, name in ipairs(sorted_keys(names)) do
        local value = names[name]
        parts[#parts + 1] = ("%s=%s"):format(name, type(value) == "number" and ("%.10g"):format(value) or tostring(value))
    end
    local run = table.concat(parts, ","):gsub("[^%w=.,_-]+", "_")
    for name, value in pairs(row) do
        if names[name] == nil and type(value) == "number" and value - value == 0 then numbers[name] = value end
    end
    if row.failed then numbers.failed = 1 end
    local events = core.event_file(directory .. "/" .. run)
    events:settings(names, run)
    events:scalars(numbers, 0)
    events:close()
end

local point_methods = {}

-- Why results are those of a point that failed: the first of them, by name, that is not a number.
local function failure_of(results)
    for _, name in ipairs(sorted_keys(results)) do
        if results[name] ~= results[name] then return name .. " is not a number" end
    end
end

--- Finishes a point: `results` become its row, and the file is written. Where one of them is not a number, `failed` of the
--- row says so: the sweep goes on, and a later start does not run the point again.
function point_methods.record(point, results)
    if type(results) ~= "table" then core.fail("lua.argument", "point:record: needs a table of results") end
    local state = getmetatable(point).state
    local row = {}
    for name, value in pairs(results) do
        if type(name) ~= "string" then core.fail("lua.argument", ("point:record: results have names, got the key %s"):format(tostring(name))) end
        row[name] = value
    end
    for name, value in pairs(state.point.names) do
        if row[name] ~= nil then core.fail("lua.argument", ("point:record: '%s' is an axis of the sweep, not a result"):format(name)) end
        row[name] = value
    end
    if row.failed == nil then row.failed = failure_of(results) end
    state.finish(row)
end

--- Finishes a point that gave no results: `failed` of its row is `reason`, a text or an error that was caught, such as that
--- of a training that diverged.
function point_methods.fail(point, reason)
    local text = type(reason) == "userdata" and reason.message or reason
    if type(text) ~= "string" or text == "" then
        core.fail("lua.argument", ("point:fail: argument 1 (reason) must be a text or an error, got a %s"):format(type(reason)))
    end
    point_methods.record(point, { failed = text })
end

-- A list's rows also draw as a comparison where they have what that needs. Points that failed have no place in a drawing.
local function draw(all, options, form)
    local list = {}
    for _, row in ipairs(all) do
        if not row.failed then list[#list + 1] = row end
    end
    if #all > 0 and #list == 0 then core.fail("lua.argument", "rows:plot: every point of the sweep failed, so there is nothing to draw") end
    local first = list[1] or {}
    if first.params and first.accuracy then
        local named = {}
        for i, row in ipairs(list) do
            local copy = {}
            for name, value in pairs(row) do copy[name] = value end
            copy.name = row.name or (row.keep and ("%g"):format(row.keep)) or tostring(i)
            named[i] = copy
        end
        return plot.comparison(named, { title = options.title, absolute = true }, form)
    end
    return plot.bars(list, options, form)
end

--- An iterator over the points that are not finished, for a generic `for`, and the rows of those that are, in the order
--- of the points; rows come in as points are recorded. Processes that share a file leave out what another has finished,
--- and lose nothing of each other's.
return function(options)
    if type(options) ~= "table" then fail("needs a table, such as { \"sweep.json\", keep = { 0.7, 0.5 } }") end
    local path = options[1]
    if options.log ~= nil and type(options.log) ~= "string" then fail("option 'log' must be a string, got a %s", type(options.log)) end
    if path ~= nil and type(path) ~= "string" then fail("the file must be a string, got a %s", type(path)) end
    local axes, points = from_axes(options), nil
    if options.points then
        if #axes > 0 then fail("takes either points or axes, got points and '%s'", axes[1].name) end
        points = from_list(options.points)
    else
        if #axes == 0 then fail("needs an axis, such as keep = { 0.7, 0.5 }, or points") end
        points = product(axes)
    end
    local set = {}
    for _, point in ipairs(points) do
        for name in pairs(point.names) do set[name] = true end
    end
    local names = sorted_keys(set)
    local done = {}
    local sweep = rows.wrap({}, { draw = draw })

    -- Takes over what the file has and this process has not: an earlier start, or another process, finished it.
    local function merge(saved)
        for key, row in pairs(finished(saved, path, names)) do done[key] = done[key] or row end
    end
    local function look()
        if path and core.exists(path) and core.file_size(path) > 0 then merge(core.read_json(path)) end
    end

    local function refresh()
        for i = #sweep, 1, -1 do sweep[i] = nil end
        local columns = {}
        for _, point in ipairs(points) do
            local row = done[key_of(point.names, names)]
            if row then
                sweep[#sweep + 1] = row
                for name, value in pairs(row) do
                    if not set[name] and type(value) ~= "table" then columns[name] = true end
                end
            end
        end
        local view = { draw = draw }
        for _, name in ipairs(names) do view[#view + 1] = { name, name } end
        for _, name in ipairs(sorted_keys(columns)) do view[#view + 1] = { name, name } end
        rows.wrap(sweep, view)
    end

    -- Several processes may share the file: each adds to it what it finished, one after the other.
    local function save()
        core.update_json(path, function(saved)
            merge(saved)
            local all = {}
            for _, key in ipairs(sorted_keys(done)) do all[#all + 1] = done[key] end
            return { axes = names, points = all }
        end)
    end

    look()
    refresh()
    local progress, shown = core.progress(options.label or check.default("mr.sweep", "label"), #points), 0
    local function show()
        progress:advance(#sweep - shown)
        shown = #sweep
    end
    show()
    local position = 0
    local function next_point()
        look()
        repeat position = position + 1 until not points[position] or not done[key_of(points[position].names, names)]
        local point = points[position]
        if not point then
            progress:finish()
            return nil
        end
        local fields = {}
        for name, value in pairs(point.values) do fields[name] = value end
        local state = { point = point }
        function state.finish(row)
            done[key_of(point.names, names)] = row
            if path then save() end
            if options.log then log_point(options.log, point.names, row) end
            refresh()
            show()
        end
        local function index(_, key)
            if point_methods[key] or set[key] then return point_methods[key] end
            check.missing("point", key, names, point_methods)
        end
        return setmetatable(fields, { __index = index, __members = point_methods, state = state })
    end
    -- The generic for takes the bar down where it is left early.
    return next_point, sweep, nil, progress
end
