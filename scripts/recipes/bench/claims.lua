-- What Moonrail is held against: pieces of work, the same work in other software, and how much of their time ours may take.
--
-- A piece of work is { bench, options, peers, held }: the benchmark of ours and its options; programs of scripts/peers by
-- name, with the Python packages they import and their options; and the figures that are compared. A figure is a key of
-- the lines that benchmarks print ("ms", or "ms.32" for what goes by rank), with the largest `share` of the best peer's
-- that is aimed at, or an absolute `limit`.

-- `more` may give further options from the line that ours printed.
local function peer(file, packages, options, more)
    return { file = file, packages = packages, options = options, more = more }
end

local function torch_formats(file, packages, options)
    return {
        ["torch channels_last"] = peer(file, packages, options .. " --format channels_last"),
        ["torch contiguous"] = peer(file, packages, options .. " --format contiguous"),
    }
end

local function engines(file, options)
    return {
        ["onnxruntime"] = peer(file, "torch onnx onnxruntime", options .. " --engine onnxruntime"),
        ["torch jit"] = peer(file, "torch", options .. " --engine jit"),
        ["torch channels_last"] = peer(file, "torch", options .. " --engine channels_last"),
    }
end

local function train_step(net)
    return {
        bench = "train-step", options = { net = net, batch = 128 },
        peers = torch_formats("train_step.py", "torch", ("--net %s --batch 128"):format(net)),
        held = { { figure = "ms", share = 0.65 }, { figure = "rss_mb", share = 0.6 } },
    }
end

local function infer(net, batch, share)
    return {
        bench = "infer", options = { net = net, batch = batch },
        peers = engines("infer.py", ("--net %s --batch %d"):format(net, batch)), held = { { figure = "ms", share = share } },
    }
end

-- Trains with a larger error than `error` do not count. TensorLy takes no error, but ranks: those that ours found.
local function ttsvd(case)
    local options = ("--case %s --eps 0.1 --method "):format(case)
    local function ranks_of(ours) return "--ranks " .. table.concat(ours.ranks, ",") end
    return {
        bench = "ttsvd", options = { case = case, eps = 0.1 }, error = 0.1, held = { { figure = "ms", share = 0.8 } },
        peers = {
            ["numpy gram"] = peer("ttsvd.py", "numpy", options .. "gram"),
            ["tensorly"] = peer("ttsvd.py", "numpy tensorly", options .. "tensorly", ranks_of),
            ["torchtt"] = peer("ttsvd.py", "numpy torch torchtt", options .. "torchtt"),
        },
    }
end

local function tt_forward(batch)
    return {
        bench = "tt-forward", options = { C = 256, hw = 14, N = batch, ranks = "32,64,128" },
        peers = engines("tt_forward.py", ("--C 256 --hw 14 --N %d --ranks 32,64,128"):format(batch)),
        held = { { figure = "ms.32", share = 0.8 }, { figure = "ms.64", share = 0.8 }, { figure = "ms.128", share = 0.8 } },
    }
end

local function imprint()
    return {
        bench = "imprint", options = { net = "resnet56", images = 2560 }, held = { { figure = "ms", share = 0.5 } },
        peers = torch_formats("imprint.py", "torch numpy", "--net resnet56 --images 2560"),
    }
end

local function alone(bench, options, limit)
    return { bench = bench, options = options, peers = {}, held = { { figure = "ms", limit = limit } } }
end

return {
    train_step "resnet20", train_step "resnet56",
    infer("resnet20", 1, 0.75), infer("resnet20", 128, 0.8), infer("resnet56", 1, 0.75), infer("resnet56", 128, 0.8),
    infer("vgg16bn", 1, 0.8), infer("vgg16bn", 128, 0.8),
    ttsvd "conv64", ttsvd "conv512", ttsvd "ttm4096", ttsvd "t40x5",
    tt_forward(1), tt_forward(64),
    imprint(),
    alone("plan", { net = "resnet56" }, 1), alone("startup", { case = "--version" }, 30), alone("startup", { case = "require" }, 50),
}
