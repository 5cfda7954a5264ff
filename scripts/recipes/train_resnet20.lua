-- Trains a CIFAR ResNet on Fashion-MNIST and saves it: the checkpoint that ships with Moonrail came from this recipe.
--     scripts/moonrail run scripts/recipes/train_resnet20.lua
--     scripts/moonrail run scripts/recipes/train_resnet20.lua --depth 56 --epochs 24
-- Stop it at any time: with --checkpoint FILE a second start goes on where the first one was, bit for bit.
local mr = require "moonrail"

local args = mr.args {
    depth = 20, epochs = 18, batch = 128, lr = 0.1, weight_decay = 5e-4, smoothing = 0.05, seed = 1, threads = 0,
    data = "", checkpoint = "", out = "", images = 60000, test_images = 10000,
}
if args.threads > 0 then mr.threads(args.threads) end
mr.seed(args.seed)

local train, test = mr.data.fashion_mnist {
    batch = args.batch, augment = { "crop", "flip" }, drop_last = true, dir = args.data ~= "" and args.data or nil,
}
if args.images < #train then train = train:take(args.images) end
if args.test_images < #test then test = test:take(args.test_images) end
local model = mr.zoo.resnet { depth = args.depth, image = train.image_shape, classes = #train.classes, seed = args.seed }
print(model)

local checkpoint = args.checkpoint ~= "" and args.checkpoint or nil
local started = mr.clock()
local history = model:fit(train, {
    epochs = args.epochs, smoothing = args.smoothing, validate = test, checkpoint = checkpoint, resume = checkpoint ~= nil,
    optimizer = mr.optim.sgd { lr = args.lr, momentum = 0.9, nesterov = true, weight_decay = args.weight_decay },
    schedule = mr.schedule.one_cycle { rise = 0.2, floor = 1e-3 },
    on_epoch = function(row)
        print(("epoch %2d  loss %.4f  train %.2f %%  test %.2f %%  %.0f img/s"):format(
            row.epoch, row.loss, 100 * row.accuracy, 100 * row.validation, row.images_per_second))
    end,
})

-- The test set was only looked at after each epoch: the last state is kept, whatever the others were.
local path = args.out ~= "" and args.out or ("resnet%d-fashion.safetensors"):format(args.depth)
model:note("recipe", {
    command = "scripts/moonrail run scripts/recipes/train_resnet20.lua", options = args,
    accuracy = history[#history].validation, minutes = (mr.clock() - started) / 60, version = mr.version,
})
model:save(path)
local saved = mr.load(path)
print(("%s: %.2f %% on the %d test images"):format(path, 100 * saved:evaluate(test).accuracy, #test))
