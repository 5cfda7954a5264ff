-- One sitting: ours and the peers' by turns, and what comes of it.
local measure = require "bench.measure"

local sitting = {}

--- Measures a piece of work `rounds` times. `run(name, work, ours)` measures once, "ours" or a peer, and gives the line;
--- `ours` is the latest line of ours. Even rounds go backwards, so that nobody always runs on the warmer machine.
--- Gives lists of lines by name.
function sitting.lines(work, rounds, run)
    local names, lines = {}, { ours = {} }
    for name in pairs(work.peers) do names[#names + 1], lines[name] = name, {} end
    table.sort(names)
    table.insert(names, 1, "ours")
    for round = 1, rounds do
        for i = 1, #names do
            local name = names[round % 2 == 1 and i or #names + 1 - i]
            table.insert(lines[name], run(name, work, lines.ours[#lines.ours]))
        end
    end
    return lines
end

-- "ms.32" of a line: line.ms["32"].
local function figure_of(line, path)
    for key in path:gmatch "[^.]+" do line = type(line) == "table" and line[key] or nil end
    return line
end

local function median_of(lines, path)
    local values = {}
    for i, line in ipairs(lines) do
        values[i] = figure_of(line, path)
        if type(values[i]) ~= "number" then error(("a line of %s has no number '%s'"):format(tostring(line.bench), path), 0) end
    end
    table.sort(values)
    return measure.median(values)
end

local function same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then return a == b end
    for key, value in pairs(a) do if not same(value, b[key]) then return false end end
    return true
end

-- A comparison of different work would be none.
local function check_same_work(name, ours, theirs)
    for _, key in ipairs { "params", "threads", "layers" } do
        if ours[key] ~= nil and theirs[key] ~= nil and not same(ours[key], theirs[key]) then
            error(("%s does other work than ours: '%s' differs"):format(name, key), 0)
        end
    end
end

-- Noise differs from tensor to tensor, so equal ranks leave errors that are equal to about a hundredth.
local function is_accurate(work, lines)
    return not work.error or median_of(lines, "relerr") <= 1.02 * work.error
end

-- Least and largest ratio of a round.
local function spread(ours, theirs, path)
    local least, most = math.huge, 0
    for i = 1, #ours do
        local ratio = figure_of(ours[i], path) / figure_of(theirs[i], path)
        least, most = math.min(least, ratio), math.max(most, ratio)
    end
    return least, most
end

local function row_of(work, lines, held)
    local row = { bench = work.bench, figure = held.figure, peers = {}, share = held.share, limit = held.limit }
    for name, value in pairs(work.options) do row[name] = value end
    row.ours = median_of(lines.ours, held.figure)
    for name in pairs(work.peers) do
        check_same_work(name, lines.ours[1], lines[name][1])
        local value = median_of(lines[name], held.figure)
        row.peers[name] = value
        if is_accurate(work, lines[name]) and (not row.best or value < row.best) then row.best, row.peer = value, name end
    end
    if row.best then
        row.ratio = row.ours / row.best
        row.ratio_min, row.ratio_max = spread(lines.ours, lines[row.peer], held.figure)
    end
    row.reached = is_accurate(work, lines.ours) and (held.limit and row.ours <= held.limit or (row.ratio and row.ratio <= held.share)) or false
    return row
end

--- A row for every figure that the work is held to: medians, the best peer, the ratio to it with its range over the
--- rounds, and whether the aim is reached.
function sitting.rows(work, lines)
    local rows, foreign = {}, 0
    for _, list in pairs(lines) do
        for _, line in ipairs(list) do foreign = math.max(foreign, line.foreign_cores or 0) end
    end
    for i, held in ipairs(work.held) do
        rows[i] = row_of(work, lines, held)
        rows[i].rounds, rows[i].threads, rows[i].foreign_cores = #lines.ours, lines.ours[1].threads, foreign
    end
    return rows
end

return sitting
