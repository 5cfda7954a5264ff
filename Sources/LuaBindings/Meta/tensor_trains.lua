---@meta moonrail
-- Tensor trains: mr.tt.

---@class moonrail
local mr = {}

--- The tensor train of a tensor by TT-SVD: at given ranks (one for all bonds, or one per bond), at those of fewest
--- parameters found whose relative error is at most `error`, or with at most the share `keep` of the tensor's elements as
--- parameters. Below 6e-8, where float32 ends, `error` counts as that.
---@param tensor Tensor
---@param options TruncationOptions
---@return TensorTrain
function mr.tt.decompose(tensor, options) end

--- The train of given cores [r, n, r'], the first r and the last r' being 1.
---@param cores Tensor[]
---@return TensorTrain
function mr.tt.from_cores(cores) end

--- The train of a tensor that is known by its elements, from as few of them as it takes (TT-cross): the function gets indices
--- [count, d] as int64, which count from 1, and gives the elements there. `error` (1e-4) is aimed at; the table says what random elements
--- differ by, and how many were asked for: mr.tt.cross(function(i) return 1 / i:to "float32":sum(2) end, { modes = { 20, 20, 20 } }).
---@param elements function
---@param options CrossOptions
---@return TensorTrain
---@return { error: number, evaluations: integer }
function mr.tt.cross(elements, options) end

--- A matrix [O, I] as a train over pairs of factors of O (rows) and I (columns); balanced factors, `order` (2) of them,
--- where none are given.
---@param weight Tensor
---@param options TTMatrixOptions
---@return TTMatrix
function mr.tt.matrix(weight, options) end

--- `count` factors of a number, as near to each other as its divisors allow, ascending.
---@param number integer
---@param count integer
---@return integer[]
function mr.tt.factors(number, count) end

--- The chain of convolutions of these ranks for a weight [O, C / groups, Kh, Kw]: rows with weight, stride, padding,
--- dilation and groups. Groups are decomposed each on its own. What was lowered because no chain can have such ranks stands
--- in clamps, as for a TensorTrain; ranks has those that the chain got.
---@param weight Tensor
---@param options TTConvolutionOptions
---@return table[]
function mr.tt.convolution(weight, options) end

--- A convolution weight [O, C, Kh, Kw] as a train over factors of its channels, inputs | Kh·Kw | outputs; balanced
--- factors, `order` (2) of each, where none are given.
---@param weight Tensor
---@param options TensorizedConvolutionOptions
---@return TTConvolution
function mr.tt.tensorized_convolution(weight, options) end

---@class TensorTrain
---@field modes integer[]
---@field ranks integer[] of the bonds between neighbouring cores
---@field max_ranks integer[] the largest ranks that tensors of these modes can have
---@field params integer
---@field ratio number elements of the tensor per parameter
---@field cores Tensor[] [r, n, r']
---@field error? number the relative error of the truncation that made it, with what rounding the cores adds at most
---@field routes? string[] how each bond was cut: "randomized", "gramSingle", "gramDouble" or "full"
---@field clamps? table[] ranks that were lowered: bond, requested, bound
local TensorTrain = {}

--- The tensor that the train stands for.
---@return Tensor
function TensorTrain:reconstruct() end

--- The Frobenius norm, from the cores alone.
---@return number
function TensorTrain:norm() end

--- The train at lower ranks, at those of fewest parameters found whose relative error is at most `error`, or with at most the share `keep` of
--- its parameters.
---@param options TruncationOptions
---@return TensorTrain
function TensorTrain:round(options) end

--- One element, at an index per mode: train:at(1, 2, 3). Trains also know +, −, * (by a number, or element by element) and /
--- by a number; ranks add up or multiply, so round afterwards.
---@return number
function TensorTrain:at(...) end

--- Σ of the products of all elements.
---@param other TensorTrain
---@return number
function TensorTrain:dot(other) end

--- The same tensor with all cores but one (the first) orthonormal; that one carries the norm.
---@param core? integer
---@return TensorTrain
function TensorTrain:orthogonalize(core) end

--- The same tensor with its scale spread evenly over the cores, as is best for training them: at every bond both sides
--- have equal norms.
---@return TensorTrain
function TensorTrain:balance() end

--- Per bond the singular values of the unfolding, descending.
---@return number[][]
function TensorTrain:spectra() end

--- What each rank of each bond leaves out, were it the only bond cut: rows with bond, rank, error, singular_value.
---@return table
function TensorTrain:curve() end

--- The same as plain rows, without printing.
---@return table[]
function TensorTrain:curve_rows() end

---@class TTMatrix
---@field train TensorTrain over the modes rows[k] · columns[k]
---@field rows integer[] factors of O
---@field columns integer[] factors of I
---@field ranks integer[]
---@field params integer
---@field ratio number elements of the matrix per parameter
---@field error number
local TTMatrix = {}

--- The matrix [O, I].
---@return Tensor
function TTMatrix:reconstruct() end

--- x · Wᵀ for x [N, I], core by core or with the matrix built first, whichever takes fewer multiply-adds.
---@param x Tensor
---@param options? ApplyOptions
---@return Tensor
function TTMatrix:apply(x, options) end

--- The order that is cheaper for a batch of that size: "factorized" or "reconstructed".
---@param batch integer
---@return string
function TTMatrix:order(batch) end

---@class TTConvolution
---@field train TensorTrain over inputs[1], …, Kh · Kw, outputs[1], …
---@field inputs integer[] factors of C
---@field outputs integer[] factors of O
---@field ranks integer[]
---@field params integer
---@field ratio number elements of the weight per parameter
---@field error number
local TTConvolution = {}

--- The weight [O, C, Kh, Kw].
---@return Tensor
function TTConvolution:reconstruct() end

--- The layer's result for x [N, C, H, W], as a chain of convolutions with reshapes between; no bias.
---@param x Tensor
---@return Tensor
function TTConvolution:apply(x) end

--- Multiply-accumulates of the chain per image.
---@param height integer
---@param width integer
---@return integer
function TTConvolution:macs(height, width) end
