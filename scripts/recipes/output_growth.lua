-- How the divergence of a model's output grows with the energy that one layer loses: the exponent p of loss ≈ c · s^p for
-- every layer, fitted over its ranks, and c as the loss at s = 0.3. Why the policy `quadratic` squares.
--     scripts/moonrail run scripts/recipes/output_growth.lua
--     scripts/moonrail run scripts/recipes/output_growth.lua --model scripts/models/resnet56-fashion.safetensors --images 128
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    model = here .. "/models/resnet20-fashion.safetensors", data = "", images = 256, seed = 0,
    least = { default = 0.01, help = "shares of energy below this are left out: their losses are noise" },
}
local train = mr.data.fashion_mnist { dir = args.data ~= "" and args.data or nil }
local curves = mr.sensitivity(mr.load(args.model), train, { measure = "output", formats = "trains", images = args.images, seed = args.seed })

-- The line through the logarithms, by least squares.
local function fit(row)
    local n, sx, sy, sxx, sxy = 0, 0, 0, 0, 0
    for j, share in ipairs(row.errors) do
        if share >= args.least and row.losses[j] > 1e-7 then
            local x, y = math.log(share), math.log(row.losses[j])
            n, sx, sy, sxx, sxy = n + 1, sx + x, sy + y, sxx + x * x, sxy + x * y
        end
    end
    if n < 3 then return nil end
    local exponent = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    return exponent, math.exp((sy - exponent * sx) / n + exponent * math.log(0.3))
end

local found = {}
for _, row in ipairs(curves) do
    local exponent, loss = fit(row)
    found[#found + 1] = exponent and { layer = row.layer, exponent = exponent, loss = loss } or nil
end
print(mr.rows(found, { { "layer", "layer" }, { "exponent", "exponent" }, { "loss", "nats at s = 0.3" } }))

local function quartiles(name)
    local values = mr.rows(found):sort(name, { ascending = true }):column(name)
    return values[(#values + 3) // 4], values[(#values + 1) // 2], values[(3 * #values + 3) // 4]
end
local low, middle, high = quartiles "exponent"
print(("exponent: quartiles %.2f, %.2f, %.2f of %d layers"):format(low, middle, high, #found))
print(("nats at s = 0.3: quartiles %.4f, %.4f, %.4f"):format(quartiles "loss"))
