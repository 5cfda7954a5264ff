-- The networks that benchmarks run, --net and --batch or each benchmark's own choice, and images for them.
local mr = require "moonrail"

local nets = {}

--- A network by name: resnet20, resnet56, … and vgg11bn to vgg19bn in the form for 32×32 images.
function nets.build(name, image, classes)
    image = image or { 3, 32, 32 }
    local depth = math.tointeger(tonumber(name:match "^resnet(%d+)$"))
    if depth then return mr.zoo.resnet { depth = depth, image = image, classes = classes } end
    depth = math.tointeger(tonumber(name:match "^vgg(%d+)bn$"))
    if depth then return mr.zoo.vgg { depth = depth, image = image, classes = classes } end
    error(("unknown net '%s'; there are resnet20, resnet56, vgg16bn and their like"):format(name), 0)
end

--- A case { net, batch } for every net and batch size.
function nets.cases(args, names, batches)
    if args.net ~= "" then names = { args.net } end
    if args.batch > 0 then batches = { args.batch } end
    local cases = {}
    for _, net in ipairs(names) do
        for _, batch in ipairs(batches or { false }) do cases[#cases + 1] = { net = net, batch = batch or nil } end
    end
    return cases
end

--- The first training images of Fashion-MNIST as the networks for CIFAR see images: pixels 0…1, a border of two black ones, the
--- channel three times.
function nets.images(count)
    local train = mr.data.fashion_mnist { shuffle = false }
    local part = train:take(math.min(count, #train))
    local pixels = part.images:to "float32" / 255
    local n = #part
    pixels = mr.cat({ mr.zeros(n, 1, 2, 28), pixels, mr.zeros(n, 1, 2, 28) }, 3)
    pixels = mr.cat({ mr.zeros(n, 1, 32, 2), pixels, mr.zeros(n, 1, 32, 2) }, 4)
    pixels = mr.cat({ pixels, pixels, pixels }, 2)
    return mr.data.from_tensors(pixels, part.labels, {
        name = "fashion-mnist 3×32×32", classes = part.classes, mean = { 0.286, 0.286, 0.286 }, std = { 0.353, 0.353, 0.353 },
        batch = 128, shuffle = false,
    })
end

return nets
