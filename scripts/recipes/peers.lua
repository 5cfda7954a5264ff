-- Moonrail beside other software on the same work, by turns in one sitting; `scripts/bench peers` calls this.
local mr = require "moonrail"
local claims = require "bench.claims"
local machine = require "bench.machine"
local output = require "bench.output"
local python = require "bench.python"
local sitting = require "bench.sitting"

local args = mr.args {
    only = { default = "all", help = "benchmarks by name" }, of = { default = "", help = "only work whose description contains this" },
    python = { default = "python3", help = "a Python that has the peers' packages" },
    rounds = { default = 3, help = "how often all take their turn" }, reps = { default = 0, help = "repetitions in each process; 0: each one's own" },
    threads = 2, json = false, terminal = false,
}

local binary = os.getenv "MOONRAIL_BINARY" or error("peers: MOONRAIL_BINARY must name the command; scripts/bench sets it", 0)
local recipes = arg[0]:match "^(.*/)" or "./"
local packages = "torch numpy onnx onnxruntime tensorly torchtt"

local function words_of(work) return output.subject(work.options) end

local function chosen()
    local names, list = {}, {}
    for _, work in ipairs(claims) do names[work.bench] = true end
    local wanted = {}
    for name in args.only:gmatch "%S+" do
        if name ~= "all" and not names[name] then
            local known = {}
            for each in pairs(names) do known[#known + 1] = each end
            table.sort(known)
            error(("peers: nothing is compared for '%s'; there are %s"):format(name, table.concat(known, ", ")), 0)
        end
        wanted[name] = true
    end
    for _, work in ipairs(claims) do
        if (wanted.all or wanted[work.bench]) and words_of(work):find(args.of, 1, true) then list[#list + 1] = work end
    end
    if #list == 0 then error(("peers: no work's description contains '%s'"):format(args.of), 0) end
    return list
end

local function check_python(works)
    local needed, names = {}, {}
    for _, work in ipairs(works) do
        for _, peer in pairs(work.peers) do
            for name in peer.packages:gmatch "%S+" do needed[name] = true end
        end
    end
    for name in pairs(needed) do names[#names + 1] = name end
    if #names == 0 then return end
    table.sort(names)
    local missing = python.missing(args.python, names)
    if missing and #missing == 0 then return end
    error(("peers: %s. Make a Python with all that is compared, and name it:\n"
        .. "    python3 -m venv DIR && DIR/bin/pip install %s\n    scripts/bench peers --python DIR/bin/python"):format(
        missing and ("'%s' has no %s"):format(args.python, table.concat(missing, ", ")) or ("'%s' is no Python that runs"):format(args.python),
        packages), 0)
end

-- Runs a command and reads the JSON line that it prints; `foreign_cores` is how many processors others used meanwhile.
local function line_of(command)
    local start, busy, own = mr.clock(), machine.processor_seconds()
    local line = python.lines("peers", command)[1] or error(("peers: this printed no JSON line:\n    %s"):format(command), 0)
    local busy_after, own_after = machine.processor_seconds()
    line.foreign_cores = math.max(0, (busy_after - busy) - (own_after - own)) / (mr.clock() - start)
    return line
end

local function run(name, work, ours)
    local common = ("--threads %d --reps %d"):format(args.threads, args.reps)
    if args.terminal then io.stderr:write(("\r\27[K%s %s: %s"):format(work.bench, words_of(work), name)) end
    if name ~= "ours" then
        local peer = work.peers[name]
        local options = peer.options .. (peer.more and " " .. peer.more(ours) or "")
        return line_of(("%s %s %s %s"):format(python.command(args.python), python.quoted(recipes .. "../peers/" .. peer.file), options, common))
    end
    local options = {}
    for key, value in pairs(work.options) do options[#options + 1] = ("--%s %s"):format(key, python.quoted(tostring(value))) end
    table.sort(options)
    return line_of(("exec %s run --quiet %s --only %s %s %s --json"):format(
        python.quoted(binary), python.quoted(recipes .. "bench.lua"), work.bench, table.concat(options, " "), common))
end

-- Rows of a table that appear one by one; columns are padded by what is seen, not by bytes.
local function padded(text, width) return text .. (" "):rep(width - utf8.len(text)) end

local widths = { 11, 34, 11, 31, 7, 13, 9, 0 }

local function print_cells(cells)
    local line = {}
    for i, width in ipairs(widths) do line[i] = padded(cells[i], width) end
    print((table.concat(line, " "):gsub("%s+$", "")))
end

local function amount(value, figure) return ("%.3f %s"):format(value, figure == "rss_mb" and "MiB" or "ms") end

local function show(row, work)
    local rank = row.figure:match "^ms%.(%d+)$"
    print_cells {
        row.bench, words_of(work) .. (rank and ", rank " .. rank or row.figure == "rss_mb" and ", peak memory" or ""),
        amount(row.ours, row.figure), row.peer and amount(row.best, row.figure) .. " " .. row.peer or "",
        row.ratio and ("%.2f"):format(row.ratio) or "", row.ratio and ("%.2f … %.2f"):format(row.ratio_min, row.ratio_max) or "",
        row.share and ("≤ %.2f"):format(row.share) or ("≤ %g ms"):format(row.limit), row.reached and "reached" or "MISSED",
    }
end

local function main()
    local works = chosen()
    if args.rounds < 1 or args.threads < 1 then error("peers: --rounds and --threads must be at least 1", 0) end
    check_python(works)
    local is_table = args.terminal and not args.json
    if is_table then print_cells { "benchmark", "of", "ours", "best peer", "ratio", "by round", "aim", "" } end
    local reached, count, versions, loudest = 0, 0, {}, 0
    for _, work in ipairs(works) do
        local lines = sitting.lines(work, args.rounds, run)
        if args.terminal then io.stderr:write "\r\27[K" end
        for name in pairs(work.peers) do
            for package, version in pairs(lines[name][1].versions or {}) do versions[package] = version end
        end
        for _, row in ipairs(sitting.rows(work, lines)) do
            row.processor = machine.processor()
            if is_table then show(row, work) else output.json_line(row) end
            count, reached, loudest = count + 1, reached + (row.reached and 1 or 0), math.max(loudest, row.foreign_cores)
        end
    end
    if not is_table then return reached == count end
    local names = {}
    for package, version in pairs(versions) do names[#names + 1] = package .. " " .. version end
    table.sort(names)
    print(("\n%d of %d aims reached, %d threads, %s.%s"):format(
        reached, count, args.threads, machine.processor() or "unknown processor", #names > 0 and " Peers: " .. table.concat(names, ", ") .. "." or ""))
    if loudest > 0.1 then
        print(("Other programs used up to %.1f processors meanwhile: such times are not to be relied on."):format(loudest))
    end
    return reached == count
end

if not main() then os.exit(1, true) end
