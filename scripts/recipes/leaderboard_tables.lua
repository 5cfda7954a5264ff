-- The leaderboard's results as tables, and as a page of the documentation:
--     scripts/moonrail run scripts/recipes/leaderboard_tables.lua --page Sources/Moonrail/Moonrail.docc/Leaderboard.md
-- What stands on the page before the heading "Tables" stays. leaderboard.lua calls it with its results at the end.
local mr = require "moonrail"

local results, page = ..., ""
if type(results) ~= "table" then
    local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
    local args = mr.args { results = here .. "/results/leaderboard.json", page = "" }
    results, page = mr.read_json(args.results), args.page
end

local text = {}
local function show(title, columns, list)
    local view = { title = title }
    for i, column in ipairs(columns) do view[i] = { column, column } end
    print(mr.rows(list, view))
    text[#text + 1] = ("### %s\n"):format(title)
    text[#text + 1] = "| " .. table.concat(columns, " | ") .. " |"
    text[#text + 1] = "|" .. ("---|"):rep(#columns)
    for _, row in ipairs(list) do
        local cells = {}
        for i, column in ipairs(columns) do cells[i] = tostring(row[column] or "") end
        text[#text + 1] = "| " .. table.concat(cells, " | ") .. " |"
    end
    text[#text + 1] = ""
end

-- Mean and standard deviation over the seeds, times `scale`.
local function spread(values, scale, digits)
    local sum, squares = 0.0, 0.0
    for _, value in ipairs(values) do sum = sum + value end
    local mean = sum / #values
    for _, value in ipairs(values) do squares = squares + (value - mean) ^ 2 end
    local number = "%." .. digits .. "f"
    if #values < 2 then return number:format(scale * mean) end
    return (number .. " ± " .. number):format(scale * mean, scale * math.sqrt(squares / (#values - 1)))
end

-- Values that occur in the points, in the order of `order` or descending.
local function distinct(field, model)
    local seen, list = {}, {}
    for _, point in ipairs(results.points) do
        if point.model == model and not seen[point[field]] then
            seen[point[field]] = true
            list[#list + 1] = point[field]
        end
    end
    return list
end

local function matrix(model, title, way, field, scale, digits)
    local keeps, list, columns = distinct("keep", model), {}, { "policy" }
    table.sort(keeps, function(a, b) return a > b end)
    for _, keep in ipairs(keeps) do columns[#columns + 1] = ("%g %%"):format(100 * keep) end
    for _, policy in ipairs(distinct("policy", model)) do
        local row, any = { policy = policy }, false
        for position, keep in ipairs(keeps) do
            local values = {}
            for _, point in ipairs(results.points) do
                local counts = point.model == model and point.policy == policy and point.keep == keep
                if counts and point.tuned == way and point[field] then values[#values + 1] = point[field] end
            end
            if #values > 0 then
                row[columns[position + 1]], any = spread(values, scale, digits), true
            end
        end
        if any then list[#list + 1] = row end
    end
    if #list > 0 then show(("%s: %s"):format(model, title), columns, list) end
end

for _, model in ipairs { "resnet20", "resnet56" } do
    local dense = results.dense[model]
    if dense then
        local against = (" (%% of the test images; dense %.2f)"):format(100 * dense.accuracy)
        matrix(model, "as cut" .. against, nil, "raw", 100, 2)
        matrix(model, "after batch norm was re-estimated" .. against, nil, "accuracy", 100, 2)
        matrix(model, "after the last factors were fitted" .. against, nil, "fitted", 100, 2)
        matrix(model, "fitted and tuned for one epoch" .. against, "plain", "accuracy", 100, 2)
        matrix(model, "fitted and distilled for one epoch" .. against, "distilled", "accuracy", 100, 2)
        matrix(model, "multiply-accumulates kept, in %", nil, "macs", 100 / dense.macs, 1)
        if dense.latency_ms then
            matrix(model, ("milliseconds at batch 1 (dense %.3f)"):format(dense.latency_ms), nil, "latency_ms", 1, 3)
            matrix(model, ("milliseconds at batch 128 (dense %.1f)"):format(dense.latency_128_ms), nil, "latency_128_ms", 1, 1)
        end
    end
end

local searches = {}
for key, seconds in pairs(results.searches or {}) do
    local model, seed, what = key:match "^(%S+) (%S+) (%S+)$"
    if seed == "1" then searches[#searches + 1] = { model = model, search = what, seconds = ("%.1f"):format(seconds) } end
end
table.sort(searches, function(a, b) return a.model .. a.search < b.model .. b.search end)
if #searches > 0 then show("Seconds of search, for all budgets together", { "model", "search", "seconds" }, searches) end

for model, correlations in pairs(results.correlations or {}) do
    local list = {}
    for name, value in pairs(correlations) do list[#list + 1] = { score = name, spearman = value } end
    table.sort(list, function(a, b) return a.spearman > b.spearman end)
    for _, row in ipairs(list) do row["rank correlation"] = ("%.2f"):format(row.spearman) end
    show(model .. ": Spearman's correlation with the measured sensitivity of layers at ranks", { "score", "rank correlation" }, list)
end

if page ~= "" then
    local file = io.open(page)
    local words = file and file:read "a" or "# Leaderboard\n\n"
    if file then file:close() end
    local place = words:find("## Tables", 1, true) or #words + 1
    mr.write_text(page, words:sub(1, place - 1) .. "## Tables\n\n" .. table.concat(text, "\n"))
    print(page)
end
