-- Where the comparison of methods keeps its files: what Python is given of a model and of the images, once for each model.
local mr = require "moonrail"

local place = {}

local function all_of(data, options)
    local with = { augment = {}, shuffle = options.shuffle or false, seed = options.seed, batch = options.batch, drop_last = false }
    return data:with(with):epoch()()
end

--- The path of a model's file without folders and ending, to call it by.
function place.name_of(path) return (path:match "([^/]+)$":gsub("%.[%w]+$", "")) end

--- Writes what the programs in Python read, and gives the paths: the dense model for PyTorch and as ONNX, `images` of the training
--- images drawn by `seed`, and the test images with their labels.
function place.prepared(folder, model, data, options)
    mr.make_directory(folder)
    local paths = {
        folder = folder, network = folder .. "/dense.py", dense = folder .. "/dense.onnx", images = folder .. "/images.npy",
        test = folder .. "/test.npy", labels = folder .. "/labels.npy",
    }
    model:save(paths.network)
    model:save(paths.dense)
    mr.write_npy(paths.images, all_of(data.train, { shuffle = true, seed = options.seed, batch = options.images }).x)
    local test = all_of(data.test, { batch = #data.test })
    mr.write_npy(paths.test, test.x)
    mr.write_npy(paths.labels, test.y)
    return paths
end

return place
