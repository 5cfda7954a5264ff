-- TT-SVD of tensors made to a recipe: a sum of outer products with falling weights, or a train, under 5 % of noise.
local mr = require "moonrail"
local measure = require "bench.measure"

local function with_noise(clean, share)
    local noise = mr.randn(clean.shape)
    return clean + noise * (share * clean:norm() / noise:norm())
end

-- Σ_i i^-½ a_i ⊗ b_i ⊗ … with unit vectors.
local function sum_of_products(shape, terms)
    local left
    for k, extent in ipairs(shape) do
        local factor = mr.randn(extent, terms)
        factor = factor / (factor * factor):sum(1):sqrt()
        if not left then
            left = factor * (mr.arange(terms):to "float32" ^ -0.5)
        elseif k < #shape then
            left = (left:reshape(-1, 1, terms) * factor:reshape(1, extent, terms)):reshape(-1, terms)
        else
            left = left:matmul(factor:t())
        end
    end
    return with_noise(left:reshape(shape), 0.05)
end

local function random_train(shape, rank)
    local product = mr.ones(1, 1)
    for k, extent in ipairs(shape) do
        local after = k == #shape and 1 or rank
        product = product:matmul(mr.randn(product.shape[2], extent * after)):reshape(-1, after)
    end
    return with_noise(product:reshape(shape), 0.05)
end

local makers = {
    conv64 = function() return sum_of_products({ 64, 9, 64 }, 96) end,
    conv512 = function() return sum_of_products({ 512, 9, 512 }, 384) end,
    ttm4096 = function() return sum_of_products({ 64, 64, 64, 64 }, 32) end,
    t40x5 = function() return random_train({ 40, 40, 40, 40, 40 }, 10) end,
}

return {
    cases = function(args)
        local names = args.case == "" and { "conv64", "conv512", "ttm4096", "t40x5" } or { args.case }
        local cases = {}
        for i, name in ipairs(names) do
            if not makers[name] then error(("unknown case '%s'; there are conv64, conv512, ttm4096, t40x5"):format(name), 0) end
            cases[i] = { case = name, mode = ("eps=%g"):format(args.eps) }
        end
        return cases
    end,
    run = function(case, args)
        local tensor, eps = makers[case.case](), tonumber(case.mode:match "eps=(.*)")
        local train
        local is_small = tensor.count < 1e6
        local row = measure.calls(args, is_small and 15 or 5, is_small and 1 or 0, function()
            train = mr.tt.decompose(tensor, { error = eps })
        end)
        row.ranks, row.routes, row.ratio = train.ranks, train.routes, train.ratio
        row.relerr = (train:reconstruct() - tensor):norm() / tensor:norm()
        return row
    end,
}
