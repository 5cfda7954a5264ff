-- A matrix product, 1024×1024: what the machine gives just now. Other figures are best read as ratios to it.
local mr = require "moonrail"
local measure = require "bench.measure"

return {
    cases = function() return { { size = 1024 } } end,
    run = function(case, args)
        local a, b = mr.randn(case.size, case.size), mr.randn(case.size, case.size)
        local row = measure.calls(args, 40, 10, function() a:matmul(b) end)
        row.gflops = 2 * case.size ^ 3 / row.ms / 1e6
        return row
    end,
}
