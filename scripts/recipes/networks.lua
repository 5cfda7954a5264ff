-- Trains four small networks of other kinds than the ResNets that ship, on Fashion-MNIST, for measuring what is chosen for
-- layers of other forms: a VGG, a MobileNetV2, a vision transformer and a perceptron.
--     scripts/moonrail run scripts/recipes/networks.lua
--     scripts/moonrail run scripts/recipes/networks.lua --network vit --seed 2 --out .build/networks
-- Each takes a few minutes and is saved as NAME-seedN.safetensors; those that are there already are left as they are. Stopped and
-- started again, it goes on with the epoch that it was in.
local mr = require "moonrail"
local nn = mr.nn

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local names = { "vgg", "mobilenet", "vit", "mlp" }
local args = mr.args {
    network = { default = "all", help = "what is trained", choices = { "all", table.unpack(names) } },
    seed = { default = 1, help = "what weights, orders and movements are drawn by" },
    out = { default = here .. "/../.build/networks", help = "the folder of the trained networks" },
    epochs = { default = 0, help = "0 for each network's own number" },
    data = "", images = 60000, test_images = 10000,
}

-- MARK: The networks

-- A convolution without bias, batch norm, and ReLU unless the unit is to be linear.
local function unit(channels, kernel, options)
    local layers = {
        nn.conv {
            name = "conv", channels = channels, kernel = kernel, padding = kernel // 2, stride = options.stride or 1,
            groups = options.groups or 1, bias = false,
        },
        nn.batch_norm { name = "bn" },
    }
    if not options.is_linear then layers[3] = nn.relu { name = "relu" } end
    layers.name = options.name
    return nn.block(layers)
end

-- VGG: eight 3×3 convolutions in four stages with a maximum pooling between them (Simonyan, Zisserman, ICLR 2015,
-- arXiv:1409.1556).
local function vgg(image, classes, seed)
    local layers = { image = image, seed = seed, name = "vgg" }
    local function add(layer) layers[#layers + 1] = layer end
    for stage, channels in ipairs { 16, 32, 64, 96 } do
        if stage > 1 then add(nn.max_pool { name = "pool" .. stage - 1 }) end
        for position = 1, 2 do add(unit(channels, 3, { name = ("stage%d.unit%d"):format(stage, position) })) end
    end
    add(nn.global_avg_pool())
    add(nn.flatten())
    add(nn.linear { name = "fc", features = classes })
    return nn.sequential(layers)
end

-- MobileNetV2's blocks: widened by a 1×1 convolution, a depthwise 3×3 one, narrowed again, and added to the input where
-- the shapes agree (Sandler et al., CVPR 2018, arXiv:1801.04381); with ReLU in place of ReLU6.
local function inverted_residual(name, from, to, expansion, stride)
    local wide = from * expansion
    local layers = { name = name }
    if expansion > 1 then layers[1] = unit(wide, 1, { name = "expand" }) end
    layers[#layers + 1] = unit(wide, 3, { name = "depthwise", stride = stride, groups = wide })
    layers[#layers + 1] = unit(to, 1, { name = "project", is_linear = true })
    return (stride == 1 and from == to and nn.residual or nn.block)(layers)
end

-- Halved twice rather than five times, as the images are small.
local function mobilenet(image, classes, seed)
    local layers = { image = image, seed = seed, name = "mobilenet" }
    local function add(layer) layers[#layers + 1] = layer end
    add(unit(16, 3, { name = "stem", stride = 2 }))
    local from, count = 16, 0
    for _, row in ipairs { { 1, 16, 1, 1 }, { 6, 24, 2, 1 }, { 6, 32, 2, 2 }, { 6, 64, 2, 1 } } do
        local expansion, to, blocks, stride = table.unpack(row)
        for block = 1, blocks do
            count = count + 1
            add(inverted_residual("block" .. count, from, to, expansion, block == 1 and stride or 1))
            from = to
        end
    end
    add(unit(512, 1, { name = "head" }))
    add(nn.global_avg_pool())
    add(nn.flatten())
    add(nn.linear { name = "fc", features = classes })
    return nn.sequential(layers)
end

local function vit(image, classes, seed)
    return mr.zoo.vit { image = image, classes = classes, seed = seed, patch = 7, width = 64, depth = 4, heads = 4, mlp_ratio = 3 }
end

local function mlp(image, classes, seed)
    local layers = { image = image, seed = seed, name = "mlp", nn.flatten() }
    for position, features in ipairs { 256, 192, 128 } do
        layers[#layers + 1] = nn.linear { name = "fc" .. position, features = features, bias = false }
        layers[#layers + 1] = nn.batch_norm { name = "bn" .. position }
        layers[#layers + 1] = nn.relu { name = "relu" .. position }
    end
    layers[#layers + 1] = nn.linear { name = "fc4", features = classes }
    return nn.sequential(layers)
end

-- MARK: How each is trained

local function sgd(lr) return function() return mr.optim.sgd { lr = lr, momentum = 0.9, nesterov = true, weight_decay = 5e-4 } end end
local function adamw(lr) return function() return mr.optim.adam { lr = lr, weight_decay = 0.05, decoupled = true } end end

local recipes = {
    vgg = { build = vgg, epochs = 9, optimizer = sgd(0.1), augment = { "crop", "flip" } },
    mobilenet = { build = mobilenet, epochs = 4, optimizer = sgd(0.1), augment = { "flip" } },
    vit = { build = vit, epochs = 12, optimizer = adamw(2e-3), augment = { "flip" } },
    mlp = { build = mlp, epochs = 12, optimizer = sgd(0.1), augment = { "flip" } },
}

local function train(name)
    local recipe = recipes[name]
    local path = ("%s/%s-seed%d.safetensors"):format(args.out, name, args.seed)
    if mr.exists(path) then return print(path .. " is there already") end
    mr.seed(args.seed)
    local data, test = mr.data.fashion_mnist {
        batch = 128, augment = recipe.augment, drop_last = true, dir = args.data ~= "" and args.data or nil,
    }
    if args.images < #data then data = data:take(args.images) end
    if args.test_images < #test then test = test:take(args.test_images) end
    local model = recipe.build(data.image_shape, #data.classes, args.seed)
    print(("%s: %d parameters, %.2f M MACs"):format(name, model.cost.params, model.cost.macs / 1e6))
    local started, checkpoint = mr.clock(), path .. ".checkpoint"
    local history = model:fit(data, {
        epochs = args.epochs > 0 and args.epochs or recipe.epochs, smoothing = 0.05, optimizer = recipe.optimizer(),
        schedule = mr.schedule.one_cycle { rise = 0.2, floor = 1e-3 }, validate = test, checkpoint = checkpoint, resume = true,
        on_epoch = function(row)
            print(("epoch %2d  loss %.4f  train %.2f %%  test %.2f %%  %.0f img/s"):format(
                row.epoch, row.loss, 100 * row.accuracy, 100 * row.validation, row.images_per_second))
        end,
    })
    -- The test images were only looked at after each epoch: the last state is kept, whatever the others were.
    model:note("recipe", {
        command = "scripts/moonrail run scripts/recipes/networks.lua", network = name, options = args,
        accuracy = history[#history].validation, minutes = (mr.clock() - started) / 60, version = mr.version,
    })
    model:save(path)
    os.remove(checkpoint)
    print(("%s: %.2f %% on the %d test images"):format(path, 100 * mr.load(path):evaluate(test).accuracy, #test))
end

mr.make_directory(args.out)
for _, name in ipairs(names) do
    if args.network == "all" or args.network == name then train(name) end
end
