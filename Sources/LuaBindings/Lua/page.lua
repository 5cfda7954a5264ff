-- A report as one HTML page that needs nothing else: no network, no further file.
local rows = require "moonrail.rows"
local columns = require "moonrail.columns"
local svg = require "moonrail.svg"
local plot = require "moonrail.plot"

local escape = svg.escape

local style = [[
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:80rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem}.dim{color:var(--dim)}.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.87rem}
td,th{padding:.2rem .6rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}td.n,th.n{text-align:right}
td:last-child:not(.n){white-space:normal;min-width:14rem}
th button{all:unset;cursor:pointer;font-weight:600}th button:focus-visible{outline:2px solid var(--c1)}
th[aria-sort=ascending] button:after{content:" ▲"}th[aria-sort=descending] button:after{content:" ▼"}
.kept{display:inline-block;vertical-align:middle;width:6rem;height:.6rem;background:var(--line);margin-left:.5rem}
.kept i{display:block;height:100%;background:var(--c1)}pre{overflow-x:auto}
]]

-- A heading sorts its table: numbers by value, text by name; pressed again, the other way round.
local script = [[
for (const button of document.querySelectorAll("th button")) button.onclick = () => {
  const head = button.parentNode, column = head.cellIndex, body = head.closest("table").tBodies[0]
  const up = head.getAttribute("aria-sort") !== "ascending"
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort")
  head.setAttribute("aria-sort", up ? "ascending" : "descending")
  const key = row => row.cells[column].dataset.v
  const order = (a, b) => {
    const x = key(a), y = key(b)
    if (x === "" || y === "") return (x === "") - (y === "")
    const d = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y
    return up ? d : -d
  }
  body.append(...[...body.rows].sort(order))
}]]

-- What a cell sorts by, and the class that sets numbers to the right.
local function sort_key(value) return type(value) == "table" and value[1] or value end

-- The same as the page's script reads it. What is not a number sorts as what is not there, at the end.
local function sort_text(value)
    local key = sort_key(value)
    if key == nil or key ~= key then return "" end
    if key == math.huge or key == -math.huge then return key > 0 and "Infinity" or "-Infinity" end
    return escape(key)
end

local function class(value) return type(sort_key(value)) == "number" and ' class="n"' or "" end

-- A sortable table. A column is { key, heading, format, markup }; `markup` gives HTML after its text.
local function sortable(list, columns)
    local out = { '<div class="wide"><table class="sortable"><thead><tr>' }
    local used = {}
    for _, column in ipairs(columns) do
        for _, row in ipairs(list) do
            if row[column[1]] ~= nil then
                used[#used + 1] = column
                -- A heading stands above its numbers, at their side.
                out[#out + 1] = ('<th scope="col"%s><button>%s</button></th>'):format(class(row[column[1]]), escape(column[2]))
                break
            end
        end
    end
    out[#out + 1] = "</tr></thead><tbody>"
    for _, row in ipairs(list) do
        out[#out + 1] = "<tr>"
        for _, column in ipairs(used) do
            local value = row[column[1]]
            local text = value == nil and "" or escape(column[3] and column[3](value, row) or rows.text(value))
            if value ~= nil and column.markup then text = text .. column.markup(value, row) end
            out[#out + 1] = ('<td%s data-v="%s">%s</td>'):format(
                class(value), sort_text(value), text)
        end
        out[#out + 1] = "</tr>\n"
    end
    out[#out + 1] = "</tbody></table></div>"
    return table.concat(out)
end

local function kept(row) return row.dense_params and row.dense_params > 0 and row.params / row.dense_params or 0 end

local model_columns = {
    columns.name, columns.policy, columns.params, columns.macs, columns.bytes, columns.raw, columns.accuracy, columns.latency,
}
local score_columns = {
    columns.layer, columns.parent, columns.proxy, columns.deviation, columns.gain, columns.significance,
}
local plan_columns = {
    columns.layer, columns.gain, columns.ranks, columns.bounds,
    {
        columns.params[1], columns.params[2], columns.params[3],
        markup = function(_, row)
            return ('<span class="kept"><i style="width:%.1f%%"></i></span>'):format(100 * math.min(1, kept(row)))
        end,
    },
    columns.dense_params, columns.macs, columns.dense_macs, columns.error, columns.reason,
}

local function summary(report)
    local first, out = report.models[1], {}
    for i, row in ipairs(report.models) do
        local text = ("<b>%s</b>: %s parameters"):format(escape(row.name or i), rows.grouped(row.params))
        if i > 1 and first.params > 0 then text = text .. (" (%s of them)"):format(rows.percent(row.params / first.params)) end
        if row.accuracy then text = text .. (", accuracy %s"):format(rows.percent(row.accuracy)) end
        if i > 1 and row.accuracy and first.accuracy then
            text = text .. (" (%+.2f points)"):format(100 * (row.accuracy - first.accuracy))
        end
        out[i] = "<li>" .. text .. "</li>"
    end
    return "<ul>" .. table.concat(out, "\n") .. "</ul>"
end

local function plan_section(plan)
    local notes = {}
    for i, note in ipairs(plan.notes or {}) do notes[i] = "<li>" .. escape(note) .. "</li>" end
    return ("<h3>Keep %s of the parameters, %s of the MACs: policy %s, formats %s</h3>%s%s"):format(
        rows.percent(plan.keep_params), rows.percent(plan.keep_macs), escape(plan.policy), escape(rows.names(plan.formats)),
        sortable(plan, plan_columns), #notes > 0 and "<ul>" .. table.concat(notes) .. "</ul>" or "")
end

-- The options of the recipe as a command line that can be pasted.
local function command_line(report)
    local names, words = {}, { "moonrail run", report.script or "recipe.lua" }
    for name in pairs(report.recipe or {}) do names[#names + 1] = tostring(name) end
    table.sort(names)
    for _, name in ipairs(names) do
        local text = tostring(report.recipe[name])
        if not text:find "^[%w_./:+-]+$" then text = "'" .. text:gsub("'", "'\\''") .. "'" end
        words[#words + 1] = ("--%s %s"):format(name, text)
    end
    return table.concat(words, " ")
end

local page = {}

--- The page of a report as text.
function page.html(report)
    local out = {
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        [[<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline';script-src 'unsafe-inline'">]],
        ("<title>%s</title><style>%s%s</style></head><body>"):format(escape(report.title), svg.style, style),
        ("<h1>%s</h1>"):format(escape(report.title)),
        "<h2>Summary</h2>", summary(report), "<h2>Models</h2>", sortable(report.models, model_columns),
    }
    local function add(text) out[#out + 1] = text end
    local function add_drawing(drawing) add('<div class="wide">' .. drawing:markup() .. "</div>") end
    for _, row in ipairs(report.models) do
        if row.accuracy then
            add "<h2>Accuracy at each budget</h2>"
            add_drawing(plot.comparison(report.models, {}))
            break
        end
    end
    if report.scores then
        add "<h2>Significance of the layers</h2>"
        add_drawing(plot.bars(report.scores, {}))
        add("<details><summary>as a table</summary>" .. sortable(report.scores, score_columns) .. "</details>")
    end
    if #report.plans > 0 then add "<h2>Ranks and cost of each layer</h2>" end
    for _, plan in ipairs(report.plans) do add(plan_section(plan)) end
    if #report.histories > 0 then add "<h2>Training</h2>" end
    for i, history in ipairs(report.histories) do
        add_drawing(plot.history(history, { title = #report.histories > 1 and "Training " .. i or nil }))
    end
    add("<h2>How it was made</h2><pre>" .. escape(command_line(report)) .. "</pre>")
    add(('<p class="dim">seed %d · %d threads · Moonrail %s</p>'):format(report.seed, report.threads, escape(report.version)))
    add("<script>" .. script .. "</script></body></html>\n")
    return table.concat(out, "\n")
end

return page
