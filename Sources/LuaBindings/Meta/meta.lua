---@meta moonrail
-- The toolkit's Lua face, described once: `?name` at the prompt and editors read this file.

---@class moonrail
local mr = {}

--- Sets the seed that random numbers, new models and shuffles start from; gives the seed in force.
---@param seed? integer
---@return integer
function mr.seed(seed) end

--- Sets how many threads kernels use, 1…256; gives the number in force.
---@param count? integer
---@return integer
function mr.threads(count) end

--- Bytes of tensor memory: live, peak, idle (kept for reuse), limit; and lua, the bytes of Lua's own heap.
---@return table
function mr.memory() end

--- Seconds since the toolkit was loaded.
---@return number
function mr.clock() end

--- A tensor of nested tables of numbers: mr.tensor { { 1, 2 }, { 3, 4 } }. As int64, integers keep all their digits and other
--- numbers lose their fraction.
---@param values number|table
---@param options? TensorOptions
---@return Tensor
function mr.tensor(values, options) end

--- Zeros of a shape: mr.zeros(2, 3) or mr.zeros { 2, 3 }.
---@return Tensor
function mr.zeros(...) end

--- Ones of a shape.
---@return Tensor
function mr.ones(...) end

--- Standard normal numbers of a shape.
---@return Tensor
function mr.randn(...) end

--- Numbers uniform in 0…1 of a shape.
---@return Tensor
function mr.rand(...) end

--- The whole numbers 1…count as int64.
---@param count integer
---@return Tensor
function mr.arange(count) end

--- The whole numbers 1…count in random order, as int64: x:rows(mr.randperm(#x)) shuffles rows.
---@param count integer
---@return Tensor
function mr.randperm(count) end

--- The identity matrix n×n.
---@param n integer
---@return Tensor
function mr.eye(n) end

--- Tensors one after another along dimension `dim` (1).
---@param tensors Tensor[]
---@param dim? integer
---@return Tensor
function mr.cat(tensors, dim) end

--- Loads a model that Moonrail saved, or an ONNX file from elsewhere: what a file is, its content says, whatever it is called.
--- Tensors are read one by one, so that it takes little more memory than the model.
---@param path string
---@return Model
function mr.load(path) end

--- The mean cross-entropy of logits [N, classes] against labels [N].
---@param logits Tensor
---@param labels Tensor
---@param options? CrossEntropyOptions
---@return Tensor
function mr.loss.cross_entropy(logits, labels, options) end

--- The distillation loss T²·KL(softmax(teacher/T) ‖ softmax(student/T)).
---@param student Tensor
---@param teacher Tensor
---@param options? DivergenceOptions
---@return Tensor
function mr.loss.kl(student, teacher, options) end

--- The mean of (prediction − target)².
---@param prediction Tensor
---@param target Tensor
---@return Tensor
function mr.loss.mse(prediction, target) end

--- Stochastic gradient descent.
---@param options SGDOptions
---@return Optimizer
function mr.optim.sgd(options) end

--- Adam, or AdamW with decoupled = true.
---@param options AdamOptions
---@return Optimizer
function mr.optim.adam(options) end

--- The factor 1 throughout. Schedules are functions of the progress 0…1.
---@return function
function mr.schedule.constant() end

--- Down along half a cosine, after a linear warm-up over that share of the run.
---@param options? CosineOptions
---@return function
function mr.schedule.cosine(options) end

--- Times `factor` at each milestone, given as shares of the run.
---@param options? StepOptions
---@return function
function mr.schedule.step(options) end

--- Budgets for fit's option of that name: a function of the epoch to the share of the parameters that is kept. It falls from
--- `from` to `to` in equal ratios.
---@param options ShrinkOptions
---@return function
function mr.schedule.shrink(options) end

--- Up to 1 over the first `rise` of the run, then down to almost 0.
---@param options? OneCycleOptions
---@return function
function mr.schedule.one_cycle(options) end

--- Scores every weighted layer but the classifier: rows with accuracy, stderr, gain and significance, and class_accuracy, one
--- number per class. Part of the images is classified by the class means of the others. With keep_embeddings rows also have
--- embeddings [images, D] of the classified images, and the table has their labels. With moments it has scores.moments, to
--- whiten plans by.
---@param model Model
---@param data Dataset
---@param options? ScoreOptions
---@return table
function mr.lwiq.score(model, data, options) end

--- Moments of what goes into each layer, from a scoring pass: for mr.plan's whiten.
---@class Moments

--- Measures what each layer alone loses when it is replaced by its chain at a few ranks and the statistics behind it are
--- re-estimated. The measure "output" is the divergence of the model's own output, for which what follows the layer is
--- computed as well; "features" is the error of the features at the layer's tap, "proxy" the divergence of the classifier
--- imprinted there, and "sensitivity" the accuracy that the whole model loses, which is slow. They are for the policies of
--- the same names. "output" and "features" look at no labels. The time grows with the images: for a large network 32 do.
---@param model Model
---@param data Dataset
---@param options? SensitivityOptions
---@return table
function mr.sensitivity(model, data, options) end

--- Chooses ranks for every layer within a budget: rows that can be edited and given to model:compress. A policy that is a
--- function gets layers and budget and gives ranks by name, or { ranks = …, format = … } in their place. "lwiq" and
--- "lwiq_energy" need scores; "features", "proxy", "output" and "sensitivity" need curves. Each layer becomes whichever of the
--- formats loses least for what it costs, and its row says which. formats = "auto" has all of mr.formats but
--- "TT-matrix" and "TT-channels", which Model:refit cannot fit, and "C|Kh·Kw|O", of which "Tucker-2" is the better fit; "all"
--- has those too. They may be an array of
--- names, and a table by names and patterns of layers: { "Tucker-2", ["fc*"] = "TT-matrix" }. "TT-matrix(4x8|8x4)" and
--- "TT-channels(4x4|8x8)" have factors of their own, the inputs' before the outputs'. A budget of latency times the layers' chains on this machine once and
--- remembers that in $XDG_CACHE_HOME/moonrail. min_rank, max_rank and fix may be tables by names and patterns, such as
--- { ["stage1.*"] = 8 }; the longest pattern that matches counts. Where a budget cannot be met with align, that gives way,
--- and the plan's notes say so; its gap says how far at most its loss is above the least within the budget. With whiten ranks are chosen and layers decomposed by the
--- error of their outputs on 512 of the images in place of that of the weights.
---@param model Model
---@param options PlanOptions
---@return table
function mr.plan(model, options) end

--- Rows of a file of comma-separated values whose first line names the columns. Empty cells are nil and blank lines no rows;
--- numbers, nan, inf, true and false are read as such, but for text in quotes and digits that a number would lose.
---@param path string
---@return Rows
function mr.read_csv(path) end

--- A recipe's command-line options, from a table of their defaults: numbers, texts, booleans or lists (--keep 0.7,0.5).
--- policy = { default = "lwiq", help = "how ranks are chosen", choices = { "lwiq", "uniform" } } says more. --help
--- lists them.
---@param defaults table
---@return table
function mr.args(defaults) end

---@class Model
---@field name string
---@field input_shape integer[]
---@field cost { params: integer, macs: integer, bytes: integer, activation_bytes: integer }
---@field layers table the weighted layers: rows, also found by name
---@field nodes table every operation in the order they run: rows, also found by name (?editing)
---@field parameter_names string[]
---@field notes string[] the names of the notes
---@field precision "float32"|"bf16" of calls, evaluation and latencies (Model:set_precision)
local Model = {}

--- Results for images [N, C, H, W], fused for inference.
---@param images Tensor
---@return Tensor
function Model:__call(images) end

--- A forward pass that records gradients and moves running statistics; with taps also those inner values, by name. It
--- runs on the tape given, else on that of the images where they are on one, else on a new one.
---@param images Tensor
---@param options? ForwardOptions
---@return Tensor
---@return table? taps
function Model:forward(images, options) end

--- Inner values for inference, by name.
---@param images Tensor
---@param names string[]
---@return table
function Model:features(images, names) end

--- Trains the model in place and gives the history, a row an epoch. loss = function(logits, batch, features) replaces the
--- cross-entropy; it gives a tensor of one element. budget = function(epoch) shrinks the model by steps while it is
--- trained (?budgets); plan has mr.plan's other options for that. log = "dir" writes a history for TensorBoard there.
--- Where the loss, a gradient, an update or the outputs behind it are no finite numbers, it stops with an error (its code is
--- "training.diverged") that names step and epoch; model and optimizer are then those before the last update, whose loss was
--- a number. A checkpoint is written only of a model whose outputs are numbers.
--- The classes of the data are checked against the network's outputs and against those of validate, and stay with the model
--- as its note "classes". Where evaluation is right far less often than training, it is said why.
---@param data Dataset
---@param options? FitOptions
---@return table
function Model:fit(data, options) end

--- What a compressed model needs: repairs on some of the data, then a fit with a small learning rate along a cosine. With
--- dense = the model that it was made of, factors are fitted to that model's layers, and it is the teacher. Each step is kept only
--- where the model is no worse for it on images that are held out from all of them, or on those of validate. Where training
--- diverges, the model before the last good update counts, and it is said. Gives fit's history; history.steps has a row for each step.
---@param data Dataset
---@param options? FinetuneOptions
---@return table
function Model:finetune(data, options) end

--- Compresses after a plan by stages: some of its layers, a finetune, the next ones, until all are done. Gives the small
--- model and a history with a row for each epoch of each stage; history.steps has a row for each step. Options of finetune hold
--- for every stage; the teacher is this model unless another or false is given.
---@param plan table
---@param data Dataset
---@param options? StagesOptions
---@return Model
---@return table history
function Model:compress_in_stages(plan, data, options) end

--- Accuracy and mean cross-entropy over a data set, without augmentation. Images whose outputs hold a not-a-number count as
--- wrong; undefined is how many there are. Data whose classes are not those of the network, by their number or by the names
--- that it was trained on, are refused.
---@param data Dataset
---@param options? EvaluateOptions
---@return { accuracy: number, loss: number, undefined: integer, images: integer, seconds: number }
function Model:evaluate(data, options) end

--- Re-estimates the statistics of batch norms in place: they get those that they see on some of the images. Needs no labels. It
--- suits a model without a dense one to go by, and images like those it was trained on: unlike ones harm it, which
--- Model:finetune and mr.compress look out for. Below 64 images the old statistics stand in for those that are missing, and it
--- is said.
---@param data Dataset
---@param options? ReestimateOptions
---@return integer layers how many batch normalisations there are
function Model:reestimate(data, options) end

--- Fits the end of every chain anew, in place, so that it gives what the dense model's layer gives; needs no labels, and 512
--- images are enough. The last factor is fitted, and the one before it too where the last one has no kernel. What the images
--- say nothing about stays as it is, the more so the larger `ridge` is; images without any content are refused.
---@param dense Model
---@param data Dataset
---@param options? RefitOptions
---@return integer layers how many were fitted
function Model:refit(dense, data, options) end

--- Trains a compressed model block by block, in place, so that each block gives what the block of `dense`, the model it was made
--- of, gives; needs no labels. A block lies between two values that everything passes through, such as a residual block. It learns
--- from what the blocks before it give, and stays as it was unless it comes nearer on an eighth of the images that is held out.
--- What is frozen stays, and so do running statistics.
---@param dense Model
---@param data Dataset
---@param options? DistillOptions
---@return integer layers how many compressed layers are in the blocks that were improved
function Model:distill(dense, data, options) end

--- Gives the channels of a compressed model's layers the means and variances that those of `dense`, the model it was made
--- of, have on some of the images, in place, by their weights and biases. For layers without batch normalisation behind
--- them; for the others there is reestimate, to be called afterwards. Needs no labels.
---@param dense Model
---@param data Dataset
---@param options? RepairOptions
---@return integer layers how many were repaired
function Model:repair(dense, data, options) end

--- A compressed copy after a plan.
---@param plan table
---@return Model
function Model:compress(plan) end

--- A copy with every chain as the one layer that it stands for: the dense size, without what compression cut off.
---@return Model
function Model:recompose() end

--- Sets what calls, evaluation, scores, latencies and profiles compute in: "float32", or "bf16" where the processor has it, with
--- half of the memory traffic and about three digits. Training is in float32. With data it measures accuracy and speed of both.
---@param options? CompileOptions
---@return Model|table
function Model:compile(options) end

--- As compile, without options.
---@param precision "float32"|"bf16"
function Model:set_precision(precision) end

--- Milliseconds of a batch on this machine: ms (median), min, max.
---@param options? LatencyOptions
---@return table
function Model:latency(options) end

--- Bytes that `model(x)` takes for `batch` (1) images, known before it runs: `buffers` for what lies between the layers
--- and what kernels work with, `parameters`, `images` for x and the results, and their `total`. Buffers are planned from
--- the graph, shared by values that are never alive together, and stay for further calls; kernels keep parameters in
--- an order of their own beside the model's.
---@param batch? integer
---@return { buffers: integer, parameters: integer, images: integer, total: integer, batch: integer }
function Model:memory(batch) end

--- The same as plain rows, without printing.
---@return table[]
function Model:layer_rows() end

--- Where the time goes: rows per layer with name, op, shape, ms, share, macs, gflops and implementation (the kernel's
--- name), for a batch of `batch` (1) images. Every layer is timed by itself on the whole batch; `model(x)` runs chunks
--- of larger batches and is usually faster than the sum.
---@param batch? integer
---@return table[]
function Model:profile(batch) end

--- The same as plain rows, without printing.
---@param batch? integer
---@return table[]
function Model:profile_rows(batch) end

--- A parameter by name.
---@param name string
---@return Tensor
function Model:parameter(name) end

--- Gives the parameter `name` the values of a tensor of its shape.
---@param name string
---@param tensor Tensor
function Model:set_parameter(name, tensor) end

--- A note kept with the model; with a value, sets it.
---@param name string
---@param value? any
---@return any
function Model:note(name, value) end

--- Saves the model, whole or not at all, as the path's ending says: .safetensors, .onnx, or .py for a module for PyTorch
--- with its weights beside it; another ending is an error. With names = "pytorch" it writes the weights alone, of a dense
--- network of the zoo, under the names of PyTorch's state dicts, to a path that ends in .safetensors.
---@param path string
---@param options? SaveOptions
function Model:save(path, options) end

--- A copy that changes on its own.
---@return Model
function Model:clone() end

--- A copy in which something else stands in place of some nodes, named as in model.nodes or by a pattern with *: a layer,
--- a block, or a function, which get the values that the node reads; false lets the only one through. A function also gets
--- keep, which puts the old node there: function(x, keep) return keep(x):relu() end. outputs names other values as
--- results; what nothing needs any more goes. What stays keeps its weights, and a layer takes the name of its node.
---@param changes table<string, Layer|function|false>
---@param options? EditOptions
---@return Model
function Model:edit(changes, options) end

---@class Optimizer
---@field lr number the learning rate, which can be set
---@field steps integer taken so far
local Optimizer = {}

--- Changes the parameters of the model that the gradients belong to.
---@param gradients Gradients
function Optimizer:step(gradients) end

--- Parameters of your own after a step: a tensor, or a table of tensors and one of their gradients by the same names. What
--- has no gradient stays.
---@param parameters Tensor|table<string, Tensor>
---@param gradients Tensor|table<string, Tensor>
---@return Tensor|table<string, Tensor>
function Optimizer:update(parameters, gradients) end

return mr
