---@meta moonrail
-- What comes out: rows, and reports made of them.

---@class Rows
local Rows = {}

--- The rows by a column, largest first. Rows without it come last.
---@param key string
---@param options? { ascending: boolean }
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

--- The values of one column.
---@param key string
---@return any[]
function Rows:column(key) end

--- The columns that print, as comma-separated values.
---@return string
function Rows:csv() end

--- Writes the rows: as comma-separated values where the path ends in .csv, else as JSON.
---@param path string
function Rows:save(path) end

--- Draws the rows into an SVG file that reads on light and dark backgrounds: scores as bars, a training history as
--- lines, a comparison as a scatter of parameters kept and accuracy. Other rows become bars, of column key ("value")
--- named by column label ("name").
---@param path string
---@param options? { title: string, key: string, label: string, format: function }
function Rows:plot(path, options) end

--- One table of models side by side, the first of them the reference. An entry is a row (name, params, macs, bytes,
--- accuracy, latency_ms), or has a model, as a handle or a path, which is then measured: its accuracy where data is given,
--- its time at batch 1 where runs is: mr.compare { { model = m }, { model = "small.onnx" }, data = test, runs = 100 }.
---@param entries { data: Dataset, runs: integer }
---@return Rows
function mr.compare(entries) end

--- Goes through the points of an experiment: every combination of axes, or a list of points. A point has its values as
--- fields, and point:record(results) finishes it. With a file, finished points are kept there, and a second start goes
--- on after them. A value that JSON cannot hold, such as a policy, has a name. Gives an iterator and the rows of the
--- finished points: local points, results = mr.sweep { "sweep.json", keep = { 0.7, 0.5 }, policy = { "uniform", own = f } }.
---@param options { points: table[], label: string }
---@return function points
---@return Rows results
function mr.sweep(options) end

--- What a recipe found out, to be shown: models, rows as for mr.compare with the reference first, and, where there
--- are, scores, plans, histories and the recipe's options (mr.args). Seed, threads and version are added.
---@param options { title: string, models: table[], scores: table, plans: table[], histories: table[], recipe: table, script: string }
---@return Report
function mr.report(options) end

---@class Report
local Report = {}

--- Draws the models as a scatter of parameters kept and accuracy into an SVG file.
---@param path string
---@param options? { title: string }
function Report:plot(path, options) end

--- Writes one HTML page that needs no network: summary, charts, sortable tables of models and layers with the reason
--- for each rank, and the command line and seed that made it.
---@param path string
function Report:html(path) end

--- Writes the numbers as JSON.
---@param path string
function Report:save(path) end
