---@meta moonrail
-- The options of functions: their names, types, defaults and what they mean, described once. Swift and Lua read this file for
-- the names that they take and for the defaults, help and completion for what they show.
--
-- A field is `name type = default: text`. One without a default is absent unless it is given; one without `?` must be
-- given. A class has the fields of those behind its colon as well.

--- Options of everything that draws a sample of the images of a data set.
---@class SamplingOptions
---@field seed? integer what the images are drawn by; the seed of mr.seed unless given

---@class TensorOptions
---@field dtype? "float32"|"int64"|"uint8" = "float32": what the elements are kept as

---@class CrossEntropyOptions
---@field smoothing? number = 0: the share of each target that is spread over all classes

---@class DivergenceOptions
---@field temperature? number = 1: what both logits are divided by

---@class SGDOptions
---@field lr number the learning rate
---@field momentum? number = 0: how much of the last step goes on
---@field nesterov? boolean = false: whether the gradient is taken behind that step
---@field weight_decay? number = 0: the pull of weights towards 0, times the learning rate

---@class AdamOptions
---@field lr number the learning rate
---@field betas? number[] = {0.9, 0.999}: how much of the old means of gradients and of their squares stays
---@field eps? number = 1e-8: what is added to the root of the mean square
---@field weight_decay? number = 0: the pull of weights towards 0
---@field decoupled? boolean = false: whether that pull passes the gradients by, as in AdamW

---@class CosineOptions
---@field warmup? number = 0: the share of the run in which the rate rises from 0
---@field floor? number = 0: the factor at the end

---@class StepOptions
---@field milestones? number[] = {0.5, 0.75}: shares of the run after which the rate falls
---@field factor? number = 0.1: what it is multiplied by there

---@class ShrinkOptions
---@field to number the share of the parameters that is kept at last
---@field from? number = 1: the share at the beginning
---@field steps? integer = 4: into how many equal ratios the way is divided
---@field epochs? integer = 8: over how many epochs they are spread

---@class OneCycleOptions
---@field rise? number = 0.3: the share of the run in which the rate rises
---@field start? number = 0.04: the factor at the beginning
---@field floor? number = 0.0001: the factor at the end

---@class ScoreOptions: SamplingOptions
---@field images? number = 2560: how many images are looked at; below 1 the share of them all
---@field holdout? number|Dataset = 0.5: the share of these images that is classified by the class means of the others, or just the images that are; then the class means are of all data, unless images says how many
---@field head? "imprint"|"centred"|"nearest_mean" = "imprint": the classifier that is made of the class means
---@field embedding? integer = 512: how many numbers the features of a layer are pooled to, at most
---@field monotone? boolean = false: whether a layer counts as no worse than those before it
---@field floor? number the gain that every layer is given at least
---@field moments? boolean = false: whether scores.moments is kept, to whiten plans by
---@field keep_embeddings? boolean = false: whether rows have the embeddings of the classified images
---@field augment? boolean = false: whether images are moved as the Dataset says
---@field allow_test? boolean = false: whether test images may be used

---@class SensitivityOptions: SamplingOptions
---@field measure? "features"|"proxy"|"output"|"sensitivity" = "output": what is measured of a layer's loss
---@field images? number how many images are looked at, below 1 the share of them all; 64 for "output" and 512 for the other measures unless given
---@field formats? string|string[]|table = "auto": what layers may become: names of mr.formats, or them by names and patterns
---@field grouping? string what formats was called until version 0.2.0
---@field classifier? boolean = false: whether the last layer is measured as well
---@field whiten? Dataset|Moments what errors are measured on: the layers' outputs for these images in place of the weights
---@field allow_test? boolean = false: whether test images may be used

---@class Budget
---@field params? number parameters, or below 1 the share that is kept
---@field macs? number multiply-accumulates for one image, or below 1 the share that is kept
---@field bytes? number bytes of the parameters, or below 1 the share that is kept
---@field activation_bytes? number bytes of the values between layers at their most, or below 1 the share that is kept
---@field latency? number the share of the time for latency_batch images that is kept
---@field latency_ms? number that time in milliseconds, in place of a share

---@class PlanOptions: SamplingOptions
---@field budget? Budget what the small model may cost at most
---@field policy? string|function how the budget is divided: one of mr.policies, "portfolio", or a function of layers and budget; that of the curves given, else "portfolio" with data and "barrier" without
---@field data? Dataset images that the plan of a portfolio is chosen by, without their labels
---@field images? number = 256: how many of them its plans are fitted to, below 1 the share of them all; up to 512 others judge
---@field scores? table what mr.lwiq.score gave
---@field curves? table what mr.sensitivity gave
---@field formats? string|string[]|table = "auto": what layers may become: names of mr.formats, or them by names and patterns
---@field grouping? string what formats was called until version 0.2.0
---@field freeze? string|string[] layers that stay as they are, by names and patterns
---@field fix? table ranks of layers, by names and patterns
---@field min_rank? integer|table the smallest rank, for all or by names and patterns; 1 unless given
---@field max_rank? integer|table the largest rank, for all or by names and patterns
---@field align? integer = 1: what ranks are multiples of
---@field classifier? boolean = false: whether the last layer is decomposed as well
---@field whiten? Dataset|Moments what errors are measured on: the layers' outputs for these images in place of the weights
---@field latency_batch? integer = 1: images for which a budget of latency counts

---@class ForwardOptions
---@field taps? string[] inner values that are given as well, by name
---@field tape? Tape the tape that the pass is recorded on

--- What every training has of the loss, the optimizer and the run.
---@class TrainingOptions
---@field epochs? number how often the data are gone through; 1 unless epochs or steps are given
---@field steps? integer how many batches are trained on
---@field optimizer? Optimizer SGD with Nesterov's momentum 0.9 and weight decay 0.0005 unless given
---@field schedule? function a function of the progress 0…1 to a factor of the learning rate
---@field loss? function a function of logits, batch and features to a tensor of one element, in place of the cross-entropy
---@field smoothing? number = 0: the share of each target that is spread over all classes
---@field teacher? Model|false a model whose outputs are learned as well, or false for none
---@field distill? number the teacher's share of the loss; 0.7 where there is a teacher
---@field temperature? number what the logits are divided by for the teacher; 4 where there is one
---@field features? number the weight of the teacher's features in the loss
---@field validate? Dataset images that are evaluated after each epoch
---@field on_step? function called with a row after each step; false ends training
---@field on_epoch? function called with a row after each epoch; false ends training

---@class FitOptions: TrainingOptions
---@field budget? function a function of the epoch to a budget that the model is shrunk to
---@field plan? table mr.plan's other options, where there is a budget
---@field log? string a directory that gets a history for TensorBoard
---@field checkpoint? string a file that gets model, optimizer and history after each epoch
---@field checkpoint_every? integer after how many steps it is written as well
---@field resume? boolean = false: whether training goes on from the checkpoint, where there is one
---@field label? string the text of the progress bar

--- What training of a compressed model has beside that.
---@class TuningOptions: TrainingOptions
---@field images? number = 2048: images for repair, which takes 512 at most, and re-estimation; below 1 the share of them all
---@field lr? number the learning rate where no optimizer is given; 0.005 unless given

---@class FinetuneOptions: FitOptions, TuningOptions
---@field dense? Model the model that this one was made of: its layers are fitted to, and it is the teacher

---@class StagesOptions: TuningOptions
---@field stages? integer = 3: into how many parts the layers are divided
---@field order? "forward"|"backward"|"error" = "forward": which layers come first: the first, the last, or those that lose least

--- Options of the whole way from a model to a small one.
---@class CompressOptions: SamplingOptions
---@field plan? table a plan, or the options of mr.plan, with which one is made; it must be given
---@field data? Dataset images to repair, tune and choose on
---@field test? Dataset images that the report has accuracies on and nothing is chosen by
---@field labels? boolean = true: whether the labels of the images are looked at
---@field repairs? string[] what may be tried after the cut: "refit", "repair" and "reestimate", all unless given
---@field distill_seconds? number = 0: how many seconds blocks of layers are trained behind "refit" to give what the dense ones give
---@field images? number = 512: how many images are fitted to; below 1 the share of them all
---@field judge? integer = 1000: how many other images steps are judged on, at most a quarter of the data
---@field tune? integer|table = 0: training steps behind the repair, or options of Model:finetune for them
---@field out? string the file to write, whose name ends in .onnx or .safetensors
---@field overwrite? boolean = false: whether a file that is there is replaced

---@class EvaluateOptions
---@field label? string the text of the progress bar

---@class ReestimateOptions: SamplingOptions
---@field images? number = 2048: how many images are looked at; below 1 the share of them all

---@class RefitOptions: SamplingOptions
---@field images? number = 512: how many images are looked at; below 1 the share of them all
---@field ridge? number = 0.0001: how strongly weights stay as they are where the images say little
---@field layers? string[] layers that are fitted, by name; all unless given

---@class DistillOptions: SamplingOptions
---@field seconds? number = 10: how long is trained, all blocks together
---@field steps? integer steps for each block in place of the seconds, so that the same seed gives the same model
---@field images? number = 2048: how many images are trained on; below 1 the share of them all
---@field batch? integer = 32: images a step
---@field lr? number = 0.001: the largest learning rate of Adam, from which it falls along a cosine
---@field layers? string[] layers by name: blocks with none of these are left alone; all count unless given
---@field layers_per_block? integer = 2: neighbouring blocks are joined until each has so many compressed layers

---@class RepairOptions: SamplingOptions
---@field images? number = 512: how many images are looked at; below 1 the share of them all

---@class CompileOptions
---@field precision? "float32"|"bf16" = "float32": what calls, evaluation and latencies compute in
---@field data? Dataset images that both precisions are measured on

---@class LatencyOptions
---@field batch? integer = 1: images at a time
---@field runs? integer = 50: how often they are timed

---@class SaveOptions
---@field names? "moonrail"|"pytorch" = "moonrail": whose names the weights of a safetensors file have

---@class EditOptions
---@field outputs? string[] the values that the changed model gives; those of this one unless given
---@field name? string the name of the changed model
---@field seed? integer what new weights are drawn by; the seed of mr.seed unless given

---@class SortOptions
---@field ascending? boolean = false: whether the smallest comes first

---@class MeanOptions
---@field deviation? boolean = false: whether the sample deviations are given as well

---@class JoinOptions
---@field inner? boolean = false: whether rows without a partner are left out

---@class PlotOptions
---@field title? string the heading
---@field key? string the column that bars show
---@field label? string the column that names them
---@field format? function a function of a value to its text

---@class ChartOptions
---@field title? string the heading

---@class CompareOptions
---@field data? Dataset images that accuracy is measured on
---@field runs? integer how often a batch of one image is timed; it is not unless given

---@class SweepOptions
---@field points? table[] the points, in place of axes
---@field label? string = "sweep": the text of the progress bar
---@field log? string a directory that gets a run for TensorBoard for each point

---@class ReportOptions
---@field models table[] rows as for mr.compare, the reference first
---@field title? string = "Compression report": the heading
---@field scores? table what mr.lwiq.score gave
---@field plans? table[] plans
---@field histories? table[] what trainings gave
---@field recipe? table the recipe's options
---@field script? string the name of the recipe; that of the running script unless given

---@class TruncationOptions
---@field ranks? integer|integer[] one rank for all bonds, or one for each
---@field error? number the relative error that is allowed
---@field max_rank? integer the largest rank, beside an error
---@field keep? number the share of the elements that parameters may be

---@class CrossOptions
---@field modes integer[] how many indices there are of each kind
---@field error? number = 0.0001: the relative error that is aimed at
---@field max_rank? integer = 64: the largest rank
---@field seed? integer what elements are drawn by; the seed of mr.seed unless given

---@class TTMatrixOptions: TruncationOptions
---@field rows? integer[] factors of the matrix's rows
---@field columns? integer[] factors of its columns
---@field order? integer how many factors each has; 2 unless given here or by the factors

---@class ApplyOptions
---@field order? "auto"|"factorized"|"reconstructed" = "auto": core by core, with the matrix built first, or whichever is cheaper

---@class GeometryOptions
---@field stride? integer|integer[] = 1: pixels from one position to the next
---@field padding? integer|integer[] = 0: zeros around the images
---@field dilation? integer|integer[] = 1: pixels between the kernel's neighbours

---@class TTConvolutionOptions: GeometryOptions
---@field ranks integer|integer[] one rank for all bonds, or one for each
---@field grouping? string = "C|Kh·Kw|O": how the chain merges the kernel's modes, one of mr.groupings
---@field groups? integer = 1: parts of the channels that do not mix

---@class TensorizedConvolutionOptions: TruncationOptions, GeometryOptions
---@field inputs? integer[] factors of the input channels
---@field outputs? integer[] factors of the output channels
---@field order? integer = 2: how many factors each has, where none are given

---@class NpzOptions
---@field compress? boolean = false: whether the arrays are compressed

---@class SafetensorsOptions
---@field metadata? table<string, string> texts beside the tensors
