-- How a piece of work is timed.
local mr = require "moonrail"

local measure = {}

--- The median of sorted numbers.
function measure.median(sorted)
    local middle = #sorted // 2
    return #sorted % 2 == 1 and sorted[middle + 1] or (sorted[middle] + sorted[middle + 1]) / 2
end

--- Median, least and most milliseconds of `reps` calls (those of --reps where given) after a few that warm up.
function measure.calls(args, reps, warm, run)
    if args.reps > 0 then reps = args.reps end
    for _ = 1, math.min(warm, reps) do run() end
    local times = {}
    for i = 1, reps do
        local start = mr.clock()
        run()
        times[i] = 1e3 * (mr.clock() - start)
    end
    table.sort(times)
    return { ms = measure.median(times), min = times[1], max = times[reps], reps = reps }
end

return measure
