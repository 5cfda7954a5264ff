-- Baselines: how long benchmarks take as ratios to a matrix product measured right before and after them, so that a
-- faster or busier machine changes little. Another kind of processor changes much: its kernels are others.
local mr = require "moonrail"
local machine = require "bench.machine"
local output = require "bench.output"

local baseline = { version = 1 }

-- A measurement during which the matrix product changed by more than this is repeated.
local largest_drift, most_attempts = 0.1, 3

-- Runs one case between two measurements of the matrix product.
-- Gives the ratios by rank ("" where there is one), the times, and how much the product changed meanwhile.
local function ratios(name, case, run)
    local before = run("gemm", { size = 1024 }).ms
    local row = run(name, case)
    local after = run("gemm", { size = 1024 }).ms
    local unit, found = (before + after) / 2, { ratio = {}, ms = {}, gemm_ms = (before + after) / 2, drift = after / before - 1 }
    for _, time in ipairs(output.times(row)) do
        found.ratio[time.key or ""], found.ms[time.key or ""] = time.ms / unit, time.ms
    end
    return found
end

-- The first measurement on a steady machine; if there is none, the steadiest.
local function steady_ratios(name, case, run)
    local best
    for _ = 1, most_attempts do
        local found = ratios(name, case, run)
        if not best or math.abs(found.drift) < math.abs(best.drift) then best = found end
        if math.abs(best.drift) <= largest_drift then break end
    end
    return best
end

--- An entry for a baseline file.
function baseline.entry(name, case, run)
    local found = steady_ratios(name, case, run)
    return { bench = name, case = case, ratio = found.ratio, ms = found.ms, gemm_ms = found.gemm_ms }
end

function baseline.write(path, entries)
    mr.write_json(path, {
        version = baseline.version, processor = machine.processor(), threads = mr.threads(), moonrail = mr.version,
        entries = entries,
    })
end

--- Reads a baseline and checks that it is one.
function baseline.read(path)
    local saved = mr.read_json(path)
    local function refuse(why) error(("%s: no baseline: %s"):format(path, why), 0) end
    if type(saved) ~= "table" or saved.version ~= baseline.version then refuse(("'version' must be %d"):format(baseline.version)) end
    if math.type(saved.threads) ~= "integer" then refuse "'threads' must be a whole number" end
    if saved.processor ~= nil and type(saved.processor) ~= "string" then refuse "'processor' must be a text" end
    if type(saved.entries) ~= "table" or #saved.entries == 0 then refuse "'entries' must be a list" end
    for i, entry in ipairs(saved.entries) do
        local function need(condition, what) if not condition then refuse(("entry %d: %s"):format(i, what)) end end
        need(type(entry) == "table" and type(entry.bench) == "string", "'bench' must be a name")
        need(type(entry.case) == "table", "'case' must be a table")
        need(type(entry.ratio) == "table" and next(entry.ratio), "'ratio' must be a table of numbers")
        for key, ratio in pairs(entry.ratio) do
            need(type(ratio) == "number" and ratio > 0, ("the ratio '%s' must be a positive number"):format(key))
        end
    end
    return saved
end

--- Why a comparison with `saved` on `processor` would say little of the software; nil where it says something.
function baseline.misfit(saved, processor)
    if saved.processor == processor and processor then return nil end
    return ("the baseline was measured on %s, and this is %s"):format(
        saved.processor and "'" .. saved.processor .. "'" or "a processor that it does not name",
        processor and "'" .. processor .. "'" or "a processor that the system does not name")
end

-- The lesser of two measurements, ratio by ratio.
local function better(first, second)
    local best = { ratio = {}, drift = second.drift }
    for key, ratio in pairs(first.ratio) do best.ratio[key] = math.min(ratio, second.ratio[key]) end
    return best
end

local function regressed(entry, found, margin)
    for key, ratio in pairs(entry.ratio) do
        if not found.ratio[key] or found.ratio[key] > ratio * (1 + margin) then return true end
    end
    return false
end

local function rows_of(entry, found, margin)
    local keys, list = {}, {}
    for key in pairs(entry.ratio) do keys[#keys + 1] = key end
    table.sort(keys, function(a, b) return (tonumber(a) or 0) < (tonumber(b) or 0) end)
    for _, key in ipairs(keys) do
        local now, was = found.ratio[key], entry.ratio[key]
        list[#list + 1] = {
            bench = entry.bench, of = output.subject(entry.case) .. (key ~= "" and ", rank " .. key or ""), was = was,
            now = now or "missing", change = now and now / was - 1, drift = found.drift,
            verdict = not now and "missing" or now > was * (1 + margin) and "SLOWER" or now < was / (1 + margin) and "faster" or "same",
        }
    end
    return list
end

--- Measures everything in the baseline `saved`; what seems slower by more than `options.margin` is measured once more
--- before it counts. Prints a table, and what regressed once more below it. Gives whether nothing did.
function baseline.compare(saved, run, options)
    local all, slower = {}, {}
    for _, entry in ipairs(saved.entries) do
        local found = steady_ratios(entry.bench, entry.case, run)
        if regressed(entry, found, options.margin) then found = better(found, steady_ratios(entry.bench, entry.case, run)) end
        for _, row in ipairs(rows_of(entry, found, options.margin)) do
            all[#all + 1] = row
            if row.verdict == "SLOWER" or row.verdict == "missing" then slower[#slower + 1] = row end
        end
    end
    local function percent(value) return ("%+.1f %%"):format(100 * value) end
    local view = {
        { "bench", "benchmark" }, { "of", "of" }, { "was", "ratio, baseline" }, { "now", "now" },
        { "change", "change", percent }, { "drift", "drift of GEMM", percent }, { "verdict", "verdict" },
    }
    options.print(tostring(mr.rows(all, view)))
    if #slower > 0 then
        options.print(("\n%d of %d slower than the baseline by more than %.0f %%, twice in a row:"):format(
            #slower, #all, 100 * options.margin))
        options.print(tostring(mr.rows(slower, view)))
    end
    return #slower == 0
end

return baseline
