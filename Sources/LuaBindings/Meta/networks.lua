---@meta moonrail
-- Networks: those of the zoo, and layers to put others together from.

---@class moonrail
local mr = {}

--- A ResNet: of 6n + 2 layers as on CIFAR, or with form = "imagenet" of 18, 34, 50, 101 or 152. Weights are fresh, or
--- those of a safetensors file with PyTorch's names, here and in the other networks of the zoo.
---@param options? ResNetOptions
---@return Model
function mr.zoo.resnet(options) end

--- A VGG network of 11, 13, 16 or 19 layers with batch norms: with one linear layer at the end, as on CIFAR, or with
--- form = "imagenet" with three.
---@param options? VGGOptions
---@return Model
function mr.zoo.vgg(options) end

--- MobileNetV2; `width` is the factor of its channels.
---@param options? MobileNetOptions
---@return Model
function mr.zoo.mobilenet_v2(options) end

--- A vision transformer on square patches of the images, with the mean over the patches in place of a class token.
---@param options? VisionTransformerOptions
---@return Model
function mr.zoo.vit(options) end

--- LeNet-5, with ReLU and maximum pooling.
---@param options? ZooOptions
---@return Model
function mr.zoo.lenet5(options) end

--- Linear layers with ReLU between them: of `hidden` features, then of `classes`.
---@param options? PerceptronOptions
---@return Model
function mr.zoo.mlp(options) end

--- A network of layers, blocks and functions one after another. `image` is the shape of one sample.
---@param options NetworkOptions
---@return Model
function mr.nn.sequential(options) end

--- A network of any form: `build` gets the value of the images, applies layers to values, as in
--- mr.nn.relu()(x + y), and returns the result, or several.
---@param options GraphOptions
---@return Model
function mr.nn.graph(options) end

--- A tensor of the network's own, to write layers with: nn.parameter { shape = { 16, 1, 1 }, value = 1 }(x) gives it as a
--- value of x's network. It starts from one number, from normal numbers of a deviation or from a tensor, and is learned
--- unless trainable = false.
---@param options ParameterOptions
---@return function
function mr.nn.parameter(options) end

--- Layers one after another that stand where one layer stands; their names begin with that of the block.
---@param options LayerOptions
---@return Layer
function mr.nn.block(options) end

--- A block whose input is added to its result, as it is or through the layer `shortcut`.
---@param options ResidualOptions
---@return Layer
function mr.nn.residual(options) end

--- A convolution. Kernel, stride and dilation are one number or { rows, columns }; padding also
--- { top, left, bottom, right }.
---@param options ConvolutionOptions
---@return Layer
function mr.nn.conv(options) end

--- A transposed convolution, which enlarges by its stride; output_padding adds rows below and columns right.
---@param options TransposedConvolutionOptions
---@return Layer
function mr.nn.conv_transpose(options) end

--- A linear layer on vectors.
---@param options LinearOptions
---@return Layer
function mr.nn.linear(options) end

--- Batch normalisation over each channel of images, or each feature of vectors. With momentum 0 the running statistics would stand still; training takes 0.1 then, and
--- says so.
---@param options? BatchNormOptions
---@return Layer
function mr.nn.batch_norm(options) end

--- Normalisation of each sample over its last dimensions, as many as `dimensions` (1) says.
---@param options? LayerNormOptions
---@return Layer
function mr.nn.layer_norm(options) end

--- max(x, 0).
---@param options? LayerOptions
---@return Layer
function mr.nn.relu(options) end

--- x where positive, else slope · x (0.01).
---@param options? LeakyReLUOptions
---@return Layer
function mr.nn.leaky_relu(options) end

--- x where positive, else x times a slope that is learned for each channel and starts at 0.25.
---@param options? LayerOptions
---@return Layer
function mr.nn.prelu(options) end

--- x where positive, else alpha · (exp(x) − 1).
---@param options? ELUOptions
---@return Layer
function mr.nn.elu(options) end

--- log(1 + exp(x)), a smooth ReLU.
---@param options? LayerOptions
---@return Layer
function mr.nn.softplus(options) end

--- x · tanh(softplus(x)).
---@param options? LayerOptions
---@return Layer
function mr.nn.mish(options) end

--- x · Φ(x), with the normal distribution's Φ, or its approximation by tanh.
---@param options? GELUOptions
---@return Layer
function mr.nn.gelu(options) end

--- x · sigmoid(x), also called swish.
---@param options? LayerOptions
---@return Layer
function mr.nn.silu(options) end

--- x · hard_sigmoid(x).
---@param options? LayerOptions
---@return Layer
function mr.nn.hard_swish(options) end

--- x / 6 + 1/2, limited to 0…1.
---@param options? LayerOptions
---@return Layer
function mr.nn.hard_sigmoid(options) end

--- 1 / (1 + exp(−x)).
---@param options? LayerOptions
---@return Layer
function mr.nn.sigmoid(options) end

--- The hyperbolic tangent.
---@param options? LayerOptions
---@return Layer
function mr.nn.tanh(options) end

--- exp(x) / Σ exp(x) over the last dimension.
---@param options? LayerOptions
---@return Layer
function mr.nn.softmax(options) end

--- Limits to min…max; ReLU6 unless told otherwise.
---@param options? ClipOptions
---@return Layer
function mr.nn.clip(options) end

--- Training sets elements to zero with this probability and scales the others up; inference changes nothing.
---@param options? DropoutOptions
---@return Layer
function mr.nn.dropout(options) end

--- Maximum pooling; the stride is the window unless given.
---@param options? MaxPoolOptions
---@return Layer
function mr.nn.max_pool(options) end

--- Average pooling; padding counts as zeros unless count_padding = false.
---@param options? AveragePoolOptions
---@return Layer
function mr.nn.avg_pool(options) end

--- Average pooling to `size` rows and columns (1), whatever the input's.
---@param options? AdaptivePoolOptions
---@return Layer
function mr.nn.adaptive_avg_pool(options) end

--- The mean over rows and columns.
---@param options? LayerOptions
---@return Layer
function mr.nn.global_avg_pool(options) end

--- Images `factor` (2) times as large, or by { rows, columns }: each pixel repeated, or bilinear between the pixels.
---@param options? UpsampleOptions
---@return Layer
function mr.nn.upsample(options) end

--- Zeros around images: padding is one number, { rows, columns } or { top, left, bottom, right }.
---@param options PadOptions
---@return Layer
function mr.nn.pad(options) end

--- Images as vectors.
---@param options? LayerOptions
---@return Layer
function mr.nn.flatten(options) end

--- The sum of two values: mr.nn.add()(x, y), or just x + y.
---@param options? LayerOptions
---@return Layer
function mr.nn.add(options) end
