---@meta moonrail
-- The options of networks, layers and data sets, as options.lua has those of the rest.

--- What every network of the zoo takes.
---@class ZooOptions
---@field image? integer[] the shape of one image, such as { 3, 32, 32 }; that of the network's usual data unless given
---@field classes? integer how many classes there are; as many as those data have unless given
---@field seed? integer what weights are drawn by; the seed of mr.seed unless given
---@field weights? string a safetensors file of weights with PyTorch's names

---@class ResNetOptions: ZooOptions
---@field depth? integer 6n + 2 layers, 20 unless given; as "imagenet" 18, 34, 50, 101 or 152
---@field form? "cifar"|"imagenet" = "cifar": for which images it is built

---@class VGGOptions: ZooOptions
---@field depth? integer = 16: 11, 13, 16 or 19 layers
---@field form? "cifar"|"imagenet" = "cifar": for which images it is built

---@class MobileNetOptions: ZooOptions
---@field width? number = 1: the factor of its channels

---@class VisionTransformerOptions: ZooOptions
---@field patch? integer = 7: rows and columns of a patch, which divide those of the image
---@field width? integer = 64: the features of each patch, a multiple of heads
---@field depth? integer = 4: how many blocks there are
---@field heads? integer = 4: how many parts of the features attend on their own
---@field mlp_ratio? number = 3: how many times as many features the perceptrons have inside

---@class PerceptronOptions: ZooOptions
---@field hidden? integer[] = {256, 128}: the features of the layers before the last

---@class NetworkOptions
---@field image integer[] the shape of one sample, such as { 3, 32, 32 }
---@field name? string = "network": the name of the model
---@field seed? integer what weights are drawn by; the seed of mr.seed unless given

---@class GraphOptions: NetworkOptions
---@field build function a function of the value of the images to the value of the result, or several

---@class ParameterOptions
---@field shape? integer[] its shape, unless value is a tensor
---@field value? number|Tensor what it starts from; 0 unless given
---@field deviation? number the deviation of the normal numbers that it starts from, in place of a value
---@field trainable? boolean = true: whether it is learned
---@field name? string its name

--- What every layer takes.
---@class LayerOptions
---@field name? string its name, by which layers, scores and plans find it

---@class ResidualOptions: LayerOptions
---@field shortcut? Layer|Block|function the layer through which the input is added; as it is unless given

---@class ConvolutionOptions: LayerOptions, GeometryOptions
---@field channels integer output channels
---@field kernel? integer|integer[] = 1: rows and columns of the kernel
---@field groups? integer = 1: parts of the channels that do not mix
---@field bias? boolean = true: whether a number is added to each channel

---@class TransposedConvolutionOptions: ConvolutionOptions
---@field output_padding? integer|integer[] = 0: rows below and columns right that are added

---@class LinearOptions: LayerOptions
---@field features integer output features
---@field bias? boolean = true: whether a number is added to each feature

---@class BatchNormOptions: LayerOptions
---@field epsilon? number = 0.00001: what is added to variances
---@field momentum? number = 0.1: how far a batch moves the running statistics

---@class LayerNormOptions: LayerOptions
---@field dimensions? integer = 1: how many of the last dimensions are normalised together
---@field epsilon? number = 0.00001: what is added to variances

---@class LeakyReLUOptions: LayerOptions
---@field slope? number = 0.01: what negative numbers are multiplied by

---@class ELUOptions: LayerOptions
---@field alpha? number = 1: what large negative numbers tend to, with its sign changed

---@class GELUOptions: LayerOptions
---@field approximate? boolean = false: whether it is computed by tanh

---@class ClipOptions: LayerOptions
---@field min? number = 0: the lower end
---@field max? number = 6: the upper end

---@class DropoutOptions: LayerOptions
---@field probability? number = 0.5: how often an element becomes 0 in training

---@class MaxPoolOptions: LayerOptions
---@field window? integer|integer[] = 2: rows and columns of the window
---@field stride? integer|integer[] pixels from one window to the next; the window unless given
---@field padding? integer|integer[] = 0: pixels around the images

---@class AveragePoolOptions: MaxPoolOptions
---@field count_padding? boolean = true: whether the padding counts as zeros

---@class AdaptivePoolOptions: LayerOptions
---@field size? integer|integer[] = 1: rows and columns of the result

---@class UpsampleOptions: LayerOptions
---@field factor? integer|integer[] = 2: how many times as large images become
---@field mode? "nearest"|"bilinear" = "nearest": what lies between the pixels

---@class PadOptions: LayerOptions
---@field padding integer|integer[] rows and columns of zeros

--- How a data set is gone through.
---@class LoadingOptions
---@field batch? integer images per batch; 128 in a new data set
---@field shuffle? boolean whether epochs have orders of their own; for training images unless given
---@field augment? string[] how training images are moved: "flip", "crop4" and others; not at all unless given
---@field seed? integer what orders and movements are drawn by
---@field drop_last? boolean whether a last batch of fewer images is left out

--- How pixels are seen: less the mean and divided by the deviation of each channel.
---@class PixelOptions: LoadingOptions
---@field mean? number[] of each channel, where the brightest pixel is 1; of the training images unless given
---@field std? number[] of each channel, where the brightest pixel is 1; of the training images unless given

---@class FashionOptions: LoadingOptions
---@field dir? string where its four files are; that of Debian's package unless given

---@class MNISTOptions: PixelOptions
---@field dir string where its four files are
---@field name? string = "mnist": the name of the data set
---@field classes? string[] the names of the classes; their numbers unless given

---@class CIFAROptions: PixelOptions
---@field dir string where the binary version is

---@class CIFAR100Options: CIFAROptions
---@field labels? "fine"|"coarse" = "fine": whether there are 100 classes or 20 groups of them

---@class FolderOptions: PixelOptions
---@field dir string the directory, with one for each class inside
---@field size integer[] height and width that pictures are brought to
---@field channels? integer = 3: 3 for colour or 1 for grey
---@field fit? "crop"|"stretch" = "crop": how pictures of other proportions are brought to the size
---@field classes? string[] the classes in their order; those that are there unless given
---@field skip_damaged? boolean = false: whether damaged pictures are left out
---@field name? string the name of the data set; the directory unless given
---@field split? "train"|"test" = "train": what the images are for

---@class ArchiveOptions: PixelOptions
---@field images? string = "images": the name of the array of images
---@field labels? string|false = "labels": the name of the array of labels, which count from 0; false for images alone
---@field layout? "nchw"|"nhwc" = "nchw": the order of the dimensions of the images
---@field classes? string[] the names of the classes; their numbers unless given
---@field split? "train"|"test" = "train": what the images are for

---@class TensorDataOptions: PixelOptions
---@field name? string = "images": the name of the data set
---@field classes? string[] the names of the classes; their numbers unless given

---@class EpochOptions
---@field start? integer = 1: the number of the first batch
