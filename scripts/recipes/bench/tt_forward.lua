-- A dense 3×3 convolution against the chain 1×1 → 3×3 → 1×1 that stands for it at several ranks. Rank 0 is the dense
-- one; `ms`, `params`, `speedup` and `mac_ratio` go by rank.
local mr = require "moonrail"
local measure = require "bench.measure"

local nn = mr.nn

local function dense(case)
    return nn.sequential {
        name = "dense", image = { case.C, case.hw, case.hw }, nn.conv { channels = case.C, kernel = 3, padding = 1 },
    }
end

local function chain(case, rank)
    return nn.sequential {
        name = "chain", image = { case.C, case.hw, case.hw },
        nn.conv { channels = rank, bias = false },
        nn.conv { channels = rank, kernel = 3, padding = 1, bias = false },
        nn.conv { channels = case.C },
    }
end

local function numbers(text)
    local list = {}
    for word in text:gmatch "[^,%s]+" do
        local rank = math.tointeger(tonumber(word))
        if not rank or rank < 1 then error(("--ranks must be whole numbers with commas between, got '%s'"):format(text), 0) end
        list[#list + 1] = rank
    end
    return list
end

return {
    cases = function(args)
        local cases = {}
        for _, batch in ipairs(args.N > 0 and { args.N } or { 1, 64 }) do
            cases[#cases + 1] = { C = args.C, hw = args.hw, N = batch, ranks = numbers(args.ranks) }
        end
        return cases
    end,
    run = function(case, args)
        local x = mr.randn(case.N, case.C, case.hw, case.hw)
        local row = { engine = "moonrail", ms = {}, min = {}, max = {}, params = {}, speedup = {}, mac_ratio = {} }
        local slower, macs = {}, nil
        for _, rank in ipairs { 0, table.unpack(case.ranks) } do
            local model, key = rank == 0 and dense(case) or chain(case, rank), tostring(rank)
            local figures = measure.calls(args, case.N == 1 and 200 or 25, 10, function() local y <close> = model(x) end)
            row.ms[key], row.min[key], row.max[key], row.reps = figures.ms, figures.min, figures.max, figures.reps
            row.params[key] = model.cost.params
            if rank == 0 then
                macs = model.cost.macs
            else
                row.speedup[key], row.mac_ratio[key] = row.ms["0"] / figures.ms, macs / model.cost.macs
                if figures.ms > row.ms["0"] then slower[#slower + 1] = rank end
            end
        end
        row.slower_than_dense = slower
        return row
    end,
}
