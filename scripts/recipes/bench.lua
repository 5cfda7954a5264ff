-- Benchmarks; scripts/bench calls this. Times are milliseconds of wall time.
local mr = require "moonrail"
local baseline = require "bench.baseline"
local machine = require "bench.machine"
local output = require "bench.output"

local args = mr.args {
    only = "all", net = "", batch = 0, threads = 0, reps = 0, images = 2560, C = 256, hw = 14, ranks = "32,64,128", N = 0,
    case = "", eps = 0.1, precision = "float32", json = false, terminal = false, compare = "", baseline = "", margin = 0.15,
    any_processor = false,
}

-- Each is a module of its own: `cases` gives the settings to measure from the options, `run` measures one of them.
local order = { "gemm", "train-step", "infer", "ttsvd", "tt-forward", "imprint", "calibrate", "decompose", "plan", "startup" }
local benches = {}
for _, name in ipairs(order) do benches[name] = require("bench." .. name:gsub("-", "_")) end

local function chosen(names)
    local wanted, list = {}, {}
    for name in names:gmatch "%S+" do
        if name ~= "all" and not benches[name] then
            error(("unknown benchmark '%s'; there are %s"):format(name, table.concat(order, ", ")), 0)
        end
        wanted[name] = true
    end
    for _, name in ipairs(order) do
        if wanted.all or wanted[name] then list[#list + 1] = name end
    end
    return list
end

-- Measures one case: the case itself, what came out, and what it took.
local function run(name, case)
    if not benches[name] then error(("unknown benchmark '%s'"):format(name), 0) end
    collectgarbage()
    output.reset_peak()
    mr.seed(1)
    local row = benches[name].run(case, args)
    for key, value in pairs(case) do row[key] = value end
    row.bench, row.threads, row.rss_mb = name:gsub("-", "_"), mr.threads(), output.resident_megabytes()
    return row
end

local function each_case(names, visit)
    for _, name in ipairs(chosen(names)) do
        for _, case in ipairs(benches[name].cases(args)) do visit(name, case) end
    end
end

local usual_threads = 2

-- The entries of a baseline that were asked for, to be measured as they were when it was written.
local function entries_to_compare(saved)
    local usual = {
        net = "", batch = 0, N = 0, C = 256, hw = 14, ranks = "32,64,128", images = 2560, case = "", eps = 0.1,
        precision = "float32",
    }
    for name, default in pairs(usual) do
        if args[name] ~= default then error(("compare: --%s is up to the baseline, which says what is measured"):format(name), 0) end
    end
    if args.threads ~= 0 and args.threads ~= saved.threads then
        error(("compare: the baseline was measured with %d threads, not with %d"):format(saved.threads, args.threads), 0)
    end
    local wanted, entries = {}, {}
    for _, name in ipairs(chosen(args.only)) do wanted[name] = true end
    for _, entry in ipairs(saved.entries) do
        if wanted[entry.bench] or args.only == "all" then entries[#entries + 1] = entry end
    end
    if #entries == 0 then error(("compare: the baseline has no entry for %s"):format(args.only), 0) end
    return entries
end

-- Ratios to a matrix product carry over to a faster or slower machine, but not to another kind of processor.
local function check_processor(saved)
    local misfit = baseline.misfit(saved, machine.processor())
    if not misfit then return end
    if not args.any_processor then
        error(("compare: %s. Kernels are chosen by processor, so ratios of another kind differ whatever the software does.\n"
            .. "Write a baseline of this machine with the version to compare with:\n    scripts/bench baseline FILE.json\n"
            .. "or compare all the same: --any-processor"):format(misfit), 0)
    end
    print(("Note: %s."):format(misfit))
end

if args.compare ~= "" then
    local saved = baseline.read(args.compare)
    check_processor(saved)
    mr.threads(saved.threads)
    saved.entries = entries_to_compare(saved)
    if not baseline.compare(saved, run, { margin = args.margin, print = print }) then os.exit(1) end
elseif args.baseline ~= "" then
    mr.threads(args.threads > 0 and args.threads or usual_threads)
    local entries = {}
    each_case(args.only, function(name, case)
        if name ~= "gemm" then entries[#entries + 1] = baseline.entry(name, case, run) end
    end)
    baseline.write(args.baseline, entries)
    print(("wrote %s: %d entries"):format(args.baseline, #entries))
else
    mr.threads(args.threads > 0 and args.threads or usual_threads)
    local show = args.terminal and not args.json and output.table_rows() or output.json_line
    each_case(args.only, function(name, case) show(run(name, case)) end)
end
