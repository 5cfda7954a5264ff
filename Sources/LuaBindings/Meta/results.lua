---@meta moonrail
-- What comes out: rows, and reports made of them.

--- An array of rows with printing and methods (?Rows). A view lists the columns: { key, heading, format }; without one
--- they are those of the first row.
---@param list table[]
---@param view? table
---@return Rows
function mr.rows(list, view) end

--- A sequence worked out element by element, of an array, of the numbers 1…n, of an epoch or of any iterator: it has
--- map, filter, take, skip, chunk, enumerate, zip, fold and list, and runs in a for loop.
---@param source any
---@return Iterator
function mr.iter(source, ...) end

--- A progress bar: bar:advance(steps, note), bar:finish().
---@param label string
---@param total integer
---@return Progress
function mr.progress(label, total) end

---@class Rows
local Rows = {}

--- The rows by a column or a function of the row, largest first. What is not a number comes behind the rest whatever the
--- order, and rows without a value last.
---@param key string|function
---@param options? SortOptions
---@return Rows
function Rows:sort(key, options) end

--- The first rows.
---@param count integer
---@return Rows
function Rows:top(count) end

--- The rows for which keep(row) is true.
---@param keep function
---@return Rows
function Rows:filter(keep) end

--- The rows that change(row) gives; without a result a row is left out.
---@param change function
---@return Rows
function Rows:map(change) end

--- One row for each different value of a column, or of several: with count, and rows, those that share it.
---@param by string|string[]
---@return Rows
function Rows:group(by) end

--- Means of the columns that hold numbers: a row for each different value of `by`, or one of all rows. With deviation
--- also the sample deviations, as accuracy_sd: results:mean({ "policy", "keep" }, { deviation = true }).
---@param by? string|string[]
---@param options? MeanOptions
---@return Rows
function Rows:mean(by, options) end

--- Each row with the fields of the row of `other` that has the same value in column `on` ("name"). A field that both
--- have stays as it is here. Rows without a partner stay alone; inner = true leaves them out.
---@param other Rows
---@param on? string
---@param options? JoinOptions
---@return Rows
function Rows:join(other, on, options) end

--- The values of one column.
---@param key string
---@return any[]
function Rows:column(key) end

--- The columns that print, as comma-separated values that mr.read_csv reads as they were: numbers with all their digits, nan
--- and inf, true and false; text that reads as one of them stands in quotes. Without a view every name of every row is a column.
---@return string
function Rows:csv() end

--- Writes the rows: as comma-separated values where the path ends in .csv, else as JSON.
---@param path string
function Rows:save(path) end

--- Draws the rows as text, or with a path into an SVG file that reads on light and dark backgrounds: scores and plans as
--- bars, a training history as lines, a comparison as a scatter of parameters kept and accuracy. Other rows become bars,
--- of column key ("value") named by column label ("name").
---@param path? string
---@param options? PlotOptions
function Rows:plot(path, options) end

--- The whole way: plans, cuts, repairs, tunes, writes, reads back and measures. Gives the small model and a report that prints: a
--- row for each step with what was measured on held-out images (accuracy with labels, divergence from and agreement with the
--- dense model), and fields plan, history (of tuning), dense and model (costs, those of the file where one is written), over (what
--- exceeds the budget) and tests (on option test: cut, repaired, tuned and file). A step that makes the model worse is not kept. What can be refused is refused before the first long step.
---@param model Model
---@param options CompressOptions
---@return Model
---@return Rows report
function mr.compress(model, options) end

--- One table of models side by side, the first of them the reference. An entry is a row (name, params, macs, bytes,
--- accuracy, latency_ms), or has a model, as a handle or a path, which is then measured: its accuracy where data is given,
--- its time at batch 1 where runs is: mr.compare { { model = m }, { model = "small.onnx" }, data = test, runs = 100 }.
---@param entries CompareOptions
---@return Rows
function mr.compare(entries) end

--- Goes through the points of an experiment: every combination of axes, or a list of points. A point has its values as
--- fields, and point:record(results) finishes it. With a file, finished points are kept there, and a second start goes
--- on after them; several processes may share the file, and leave out what another has finished. A value that JSON cannot hold,
--- such as a policy, has a name. A point with a result that is not a number is finished too, and `failed` of its row says why;
--- point:fail(reason) does that for one that gave no results, as after an error. Gives an iterator and the rows of the
--- finished points: local points, results = mr.sweep { "sweep.json", keep = { 0.7, 0.5 }, policy = { "uniform", own = f } }.
--- log = "dir" writes a run for TensorBoard for each point, with its settings and the numbers of its results.
---@param options SweepOptions
---@return function points
---@return Rows results
function mr.sweep(options) end

--- What a recipe found out, to be shown: models, rows as for mr.compare with the reference first, and, where there
--- are, scores, plans, histories and the recipe's options (mr.args). Seed, threads and version are added.
---@param options ReportOptions
---@return Report
function mr.report(options) end

---@class Report
local Report = {}

--- Draws the models as a scatter of parameters kept and accuracy, as text or with a path into an SVG file.
---@param path? string
---@param options? ChartOptions
function Report:plot(path, options) end

--- Writes one HTML page that needs no network: summary, charts, sortable tables of models and layers with the reason
--- for each rank, and the command line and seed that made it.
---@param path string
function Report:html(path) end

--- Writes the numbers as JSON.
---@param path string
function Report:save(path) end

--- A new file of events in a directory, for TensorBoard: tensorboard --logdir DIR shows it while it grows. fit and
--- mr.sweep write such files with log = "DIR".
---@param directory string
---@return EventFile
function mr.events(directory) end

---@class EventFile
---@field path string
local EventFile = {}

--- Adds numbers by tag at a step.
---@param values table<string, number>
---@param step? integer
function EventFile:scalars(values, step) end

--- Says which settings this is a run of, for the page HPARAMS; runs of one group are shown together.
---@param settings table<string, number|string|boolean>
---@param group string
function EventFile:settings(settings, group) end

--- Ends the file.
function EventFile:close() end

---@class Progress
local Progress = {}

--- Counts `steps` (1) more as done, with a short text such as the loss; stops the script where Ctrl-C asked for that.
---@param steps? integer
---@param note? string
function Progress:advance(steps, note) end

--- Ends the bar before it is full.
function Progress:finish() end

---@class Iterator
local Iterator = {}

--- What change(element) makes of each element; nil ends the sequence.
---@param change function
---@return Iterator
function Iterator:map(change) end

--- The elements for which keep(element) is true.
---@param keep function
---@return Iterator
function Iterator:filter(keep) end

--- The first elements; no further one is asked for.
---@param count integer
---@return Iterator
function Iterator:take(count) end

--- The elements after the first ones.
---@param count integer
---@return Iterator
function Iterator:skip(count) end

--- Arrays of `size` elements, the last one shorter where they do not come out even.
---@param size integer
---@return Iterator
function Iterator:chunk(size) end

--- Pairs { index, element }, with indices from 1.
---@return Iterator
function Iterator:enumerate() end

--- Pairs { a, b } of two sequences, as long as both go on.
---@param other any
---@return Iterator
function Iterator:zip(other) end

--- fold(…fold(fold(start, first), second)…), with fold(so_far, element).
---@param start any
---@param fold function
---@return any
function Iterator:fold(start, fold) end

--- All elements as an array.
---@return any[]
function Iterator:list() end
