---@meta moonrail
-- Data sets.

---@class moonrail
local mr = {}

--- Fashion-MNIST: its training and its test images.
---@param options? FashionOptions
---@return Dataset train
---@return Dataset test
function mr.data.fashion_mnist(options) end

--- MNIST or a data set in the same four files, in `dir`: training and test images, seen with mean and deviation of the
--- training pixels unless told otherwise.
---@param options MNISTOptions
---@return Dataset train
---@return Dataset test
function mr.data.mnist(options) end

--- CIFAR-10 from its binary version in `dir`: training and test images.
---@param options CIFAROptions
---@return Dataset train
---@return Dataset test
function mr.data.cifar10(options) end

--- CIFAR-100 from its binary version in `dir`, with its 100 classes or, coarse, its 20 groups of them.
---@param options CIFAR100Options
---@return Dataset train
---@return Dataset test
function mr.data.cifar100(options) end

--- PNG and JPEG files in a directory for each class, brought to `size` = { height, width } by cutting out the middle or
--- by stretching. Pictures that lie in `dir` itself are of one class, "unlabelled". For test images give the classes, mean and
--- std of the training images: classes = train.classes, of which some may have no pictures here. What is passed over is said
--- with its count: other formats, directories within a class, classes without pictures. A damaged picture is an error that
--- names it; skip_damaged = true leaves it out.
---@param options FolderOptions
---@return Dataset
function mr.data.folder(options) end

--- Two arrays of an npz file: images [N, C, H, W], [N, H, W] or, with layout = "nhwc", [N, H, W, C]; and labels, which
--- count from 0 there. The arrays are called images and labels unless told otherwise; labels = false takes images alone, of
--- one class.
---@param path string
---@param options? ArchiveOptions
---@return Dataset
function mr.data.npz(path, options) end

--- A data set of images [N, C, H, W] and labels 1…classes.
---@param images Tensor
---@param labels Tensor
---@param options? TensorDataOptions
---@return Dataset
function mr.data.from_tensors(images, labels, options) end

---@class Dataset
---@field name string
---@field split "train"|"test"
---@field count integer images
---@field classes string[] the names of the classes 1, 2, …
---@field image_shape integer[] of one image
---@field images Tensor uint8 or float32 [count, C, H, W], before mean and std
---@field labels Tensor int64 [count], from 1
---@field mean number[] what is taken off each channel
---@field std number[] what each channel is divided by
---@field batch integer images per batch
---@field batches integer per epoch
local Dataset = {}

--- For loops: for batch in data:epoch(1) do … batch.x, batch.y, batch.count, batch.number, batch.of.
---@param epoch? integer
---@param options? EpochOptions
---@return function
function Dataset:epoch(epoch, options) end

--- The same images with other options; mean and std are what is taken off and divided by, per channel.
---@param options PixelOptions
---@return Dataset
function Dataset:with(options) end

--- The same images in another size, without skipping pixels where they shrink.
---@param height integer
---@param width integer
---@return Dataset
function Dataset:resize(height, width) end

--- Mean and deviation of the pixels of each channel, where the brightest is 1.
---@return { mean: number[], std: number[] }
function Dataset:statistics() end

--- The first `count` images.
---@param count integer
---@return Dataset
function Dataset:take(count) end

--- `count` images of all classes in proportion, and the rest.
---@param count integer
---@param seed? integer
---@return Dataset
---@return Dataset
function Dataset:divide(count, seed) end
