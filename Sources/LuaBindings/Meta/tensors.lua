---@meta moonrail
-- Tensors, gradients, and values inside networks.

---@class moonrail
local mr = {}

--- A tape for gradients: what is computed from tensors that it watches, or by models that run on it, can be
--- differentiated once. model:forward without one makes its own.
---@return Tape
function mr.tape() end

--- The gradient of f, a function that gives a tensor of one element: mr.grad(f)(x, …) gives ∂f/∂x and f(x, …). x is a
--- tensor, a model, or a table of them with any names, and the gradients have its form; those of a model are for
--- optimizer:step. In f a model is a function of images. What f does not depend on has nil.
---@param f function
---@return function
function mr.grad(f) end

--- Numbers in rows. float32 unless made otherwise; whole numbers (int64, uint8) are exact in +, −, *, //, %, comparisons,
--- sums and extremes, and wrap around at the ends of their type. Beside a number with a fraction, and in / and ^, they become
--- float32; functions such as exp refuse them. A not-a-number stays one in every function, maximum and relu included. Where a
--- tensor is on a tape, functions give the same digits as where it is not.
---@class Tensor
---@field shape integer[]
---@field dtype "float32"|"int64"|"uint8"
---@field rank integer
---@field count integer elements
local Tensor = {}

--- The number in a tensor of one element; a whole number is an integer.
---@return number
function Tensor:item() end

--- The elements as one array, row by row.
---@return number[]
function Tensor:totable() end

--- The elements as another type: whole numbers are rounded to float32, fractions are cut off the other way.
---@param dtype "float32"|"int64"|"uint8"
---@return Tensor
function Tensor:to(dtype) end

--- A copy, off any tape.
---@return Tensor
function Tensor:clone() end

--- The same tensor off its tape: no gradient goes through it.
---@return Tensor
function Tensor:detach() end

--- The gradients of this tensor of one element; its tape is used up.
---@return Gradients
function Tensor:backward() end

--- The matrix product; dimensions before the last two are stacks of matrices.
---@param other Tensor
---@return Tensor
function Tensor:matmul(other) end

--- 1 where elements are equal, else 0. No gradient goes through comparisons.
---@param other Tensor|number
---@return Tensor
function Tensor:eq(other) end

--- 1 where elements are less, else 0.
---@param other Tensor|number
---@return Tensor
function Tensor:lt(other) end

--- 1 where elements are not greater, else 0.
---@param other Tensor|number
---@return Tensor
function Tensor:le(other) end

--- The larger of two elements, a not-a-number where either is one.
---@param other Tensor|number
---@return Tensor
function Tensor:maximum(other) end

--- The smaller of two elements, a not-a-number where either is one.
---@param other Tensor|number
---@return Tensor
function Tensor:minimum(other) end

--- max(x, 0).
---@return Tensor
function Tensor:relu() end

--- x − log Σ exp(x) over the last dimension.
---@return Tensor
function Tensor:log_softmax() end

--- exp(x) / Σ exp(x) over the last dimension.
---@return Tensor
function Tensor:softmax() end

--- e to the power of each element.
---@return Tensor
function Tensor:exp() end

--- The natural logarithm of each element.
---@return Tensor
function Tensor:log() end

--- The square root of each element.
---@return Tensor
function Tensor:sqrt() end

--- The hyperbolic tangent of each element.
---@return Tensor
function Tensor:tanh() end

--- 1 / (1 + exp(−x)) for each element.
---@return Tensor
function Tensor:sigmoid() end

--- The magnitude of each element.
---@return Tensor
function Tensor:abs() end

--- Each element limited to low…high.
---@param low number
---@param high number
---@return Tensor
function Tensor:clamp(low, high) end

--- The singular value decomposition of a matrix: u, the values in descending order, and vᵀ. Values beyond
--- float32, as those of a matrix of 1e38 are, come as an array of numbers that has max and min in place of a Tensor.
---@return Tensor u
---@return Tensor values
---@return Tensor vt
function Tensor:svd() end

--- The eigenvalues of a symmetric matrix in ascending order, and the eigenvectors as columns.
---@return Tensor values
---@return Tensor vectors
function Tensor:eigh() end

--- The solution x of this square matrix times x = right, for right [n] or [n, k].
---@param right Tensor
---@return Tensor
function Tensor:solve(right) end

--- The QR decomposition of a matrix.
---@return Tensor q
---@return Tensor r
function Tensor:qr() end

--- The same elements in another shape; one extent may be −1.
---@return Tensor
function Tensor:reshape(...) end

--- Dimensions in another order: x:permute(2, 1).
---@return Tensor
function Tensor:permute(...) end

--- The transpose of a matrix.
---@return Tensor
function Tensor:t() end

--- The elements first…last (the last there is) of a dimension, every `step`-th (1).
---@param dim integer
---@param first integer
---@param last? integer
---@param step? integer
---@return Tensor
function Tensor:slice(dim, first, last, step) end

--- Repeated along dimensions of extent 1 to fill a shape: mr.ones(3, 1):expand(3, 4).
---@return Tensor
function Tensor:expand(...) end

--- The rows at these indices, in their order.
---@param indices integer[]|Tensor
---@return Tensor
function Tensor:rows(indices) end

--- The sum of all elements, int64 of whole numbers, or along one dimension, which stays with extent 1 where keep = true.
---@param dim? integer
---@param keep? boolean
---@return Tensor
function Tensor:sum(dim, keep) end

--- The mean of all elements, or along one dimension, which stays with extent 1 where keep = true.
---@param dim? integer
---@param keep? boolean
---@return Tensor
function Tensor:mean(dim, keep) end

--- The largest element as a number (a not-a-number where there is one), or the largest along one dimension, which stays with extent 1 where keep = true. No
--- gradient goes through it.
---@param dim? integer
---@param keep? boolean
---@return number|Tensor
function Tensor:max(dim, keep) end

--- The smallest element as a number, or the smallest along one dimension, as with max.
---@param dim? integer
---@param keep? boolean
---@return number|Tensor
function Tensor:min(dim, keep) end

--- The root of the sum of squares, as a number.
---@return number
function Tensor:norm() end

--- The index of the largest element along a dimension (the last), from 1: the first of equals, or of not-a-numbers.
---@param dim? integer
---@return Tensor
function Tensor:argmax(dim) end

---@class Tape
local Tape = {}

--- The tensor as one that this tape watches: gradients:of(it) is its gradient.
---@param tensor Tensor
---@return Tensor
function Tape:watch(tensor) end

---@class Gradients
---@field names string[] of the parameters, where they are those of one model
local Gradients = {}

--- The gradient of a parameter, where these are gradients of one model.
---@param name string
---@return Tensor?
function Gradients:get(name) end

--- The gradient of a watched tensor, or the gradients of one model alone; nil where nothing depends on it.
---@param source Tensor|Model
---@return Tensor|Gradients|nil
function Gradients:of(source) end

---@class Value
---@field shape integer[] for one sample, without the batch
---@field name string
local Value = {}

--- The matrix product with another value or a parameter. Values also know +, −, *, / and ^ with values, parameters, tensors
--- and numbers. Dimensions count the batch as the first, which must not be summed over or moved.
---@param other Value
---@return Value
function Value:matmul(other) end

--- max(x, 0).
---@return Value
function Value:relu() end

--- 1 / (1 + exp(−x)).
---@return Value
function Value:sigmoid() end

--- The hyperbolic tangent.
---@return Value
function Value:tanh() end

--- e to the power of each element.
---@return Value
function Value:exp() end

--- The natural logarithm of each element.
---@return Value
function Value:log() end

--- The square root of each element.
---@return Value
function Value:sqrt() end

--- The magnitude of each element.
---@return Value
function Value:abs() end

--- exp(x) / Σ exp(x) over the last dimension.
---@return Value
function Value:softmax() end

--- x − log Σ exp(x) over the last dimension.
---@return Value
function Value:log_softmax() end

--- Each element limited to low…high.
---@param low number
---@param high number
---@return Value
function Value:clamp(low, high) end

--- The mean along a dimension, which stays with extent 1 where keep = true.
---@param dim integer
---@param keep? boolean
---@return Value
function Value:mean(dim, keep) end

--- The sum along a dimension, which stays with extent 1 where keep = true.
---@param dim integer
---@param keep? boolean
---@return Value
function Value:sum(dim, keep) end

--- The same elements in another shape of a sample; one extent may be −1.
---@return Value
function Value:reshape(...) end

--- Dimensions in another order, the batch first: x:permute(1, 3, 2).
---@return Value
function Value:permute(...) end

--- The elements first…last (the last there is) of a dimension, every `step`-th (1).
---@param dim integer
---@param first integer
---@param last? integer
---@param step? integer
---@return Value
function Value:slice(dim, first, last, step) end
