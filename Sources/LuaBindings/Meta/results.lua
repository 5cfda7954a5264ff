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
