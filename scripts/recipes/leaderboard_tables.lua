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

local function matching(model, formats, way)
    local list = {}
    for _, point in ipairs(results.points) do
        if point.model == model and point.formats == formats and point.tuned == way then list[#list + 1] = point end
    end
    return list
end

local function distinct(points, field)
    local seen, list = {}, {}
    for _, point in ipairs(points) do
        if not seen[point[field]] then
            seen[point[field]] = true
            list[#list + 1] = point[field]
        end
    end
    return list
end

local ranks = {}
for rank, policy in ipairs(mr.policies) do ranks[policy] = rank end

-- A row for each policy, in the order of mr.policies, and a column for each budget.
local function matrix(points, title, field, scale, digits)
    local keeps, list, columns = distinct(points, "keep"), {}, { "policy" }
    table.sort(keeps, function(a, b) return a > b end)
    for _, keep in ipairs(keeps) do columns[#columns + 1] = ("%g %%"):format(100 * keep) end
    local policies = distinct(points, "policy")
    table.sort(policies, function(a, b)
        local x, y = ranks[a] or math.huge, ranks[b] or math.huge
        if x == y then return a < b end
        return x < y
    end)
    for _, policy in ipairs(policies) do
        local row, any = { policy = policy }, false
        for position, keep in ipairs(keeps) do
            local values = {}
            for _, point in ipairs(points) do
                if point.policy == policy and point.keep == keep then values[#values + 1] = point[field] end
            end
            if #values > 0 then
                row[columns[position + 1]], any = spread(values, scale, digits), true
            end
        end
        if any then list[#list + 1] = row end
    end
    if #list > 0 then show(title, columns, list) end
end

for _, model in ipairs(distinct(results.points, "model")) do
    local dense = results.dense[model]
    for _, formats in ipairs(dense and distinct(results.points, "formats") or {}) do
        local function title(what) return ("%s, formats %s: %s"):format(model, formats, what) end
        local against = (" (%% of the test images; dense %.2f)"):format(100 * dense.accuracy)
        local untuned = matching(model, formats, nil)
        matrix(untuned, title("as cut" .. against), "raw", 100, 2)
        matrix(untuned, title("after batch norm was re-estimated" .. against), "accuracy", 100, 2)
        matrix(untuned, title("after the last factors were fitted" .. against), "fitted", 100, 2)
        matrix(matching(model, formats, "plain"), title("fitted and tuned for one epoch" .. against), "accuracy", 100, 2)
        matrix(matching(model, formats, "distilled"), title("fitted and distilled for one epoch" .. against), "accuracy", 100, 2)
        matrix(untuned, title "multiply-accumulates kept, in %", "macs", 100 / dense.macs, 1)
    end
end

local function show_search(model, timings)
    local slow, list = 0.0, {}
    for _, row in ipairs(timings.policies) do
        if row.policy == "sensitivity" then slow = row.search + row.ten_budgets end
    end
    for _, row in ipairs(timings.policies) do
        list[#list + 1] = {
            policy = row.policy, ["search, s"] = ("%.2f"):format(row.search), ["ten budgets, ms"] = ("%.1f"):format(1e3 * row.ten_budgets),
            ["share of sensitivity"] = ("%.1f %%"):format(100 * (row.search + row.ten_budgets) / slow),
        }
    end
    show(("%s: time of search, and of ten budgets after it (%d threads)"):format(model, timings.threads),
        { "policy", "search, s", "ten budgets, ms", "share of sensitivity" }, list)

    list = {}
    for name, value in pairs(timings.correlations) do list[#list + 1] = { score = name, spearman = value } end
    table.sort(list, function(a, b) return a.spearman > b.spearman end)
    for _, row in ipairs(list) do row["rank correlation"] = ("%.2f"):format(row.spearman) end
    show(model .. ": Spearman's correlation with the measured sensitivity of layers at ranks", { "score", "rank correlation" }, list)
end

local function show_limits(model, timings)
    local list = {}
    for _, row in ipairs(timings.latencies) do
        list[#list + 1] = {
            batch = row.batch, limit = row.limit and ("%g %%"):format(100 * row.limit) or "none", MACs = ("%.1f %%"):format(100 * row.macs),
            ["dense, ms"] = ("%.3g"):format(row.dense), ["small, ms"] = ("%.3g"):format(row.small),
            ["small / dense"] = ("%.2f"):format(row.ratio), fitted = ("%.2f %%"):format(100 * row.fitted),
        }
    end
    show(model .. ": 3.2 times fewer parameters by quadratic, ranks in multiples of 8, with a limit on latency",
        { "batch", "limit", "MACs", "dense, ms", "small, ms", "small / dense", "fitted" }, list)
end
for _, model in ipairs { "resnet20", "resnet56" } do
    local timings = results.timings and results.timings[model] or {}
    if timings.correlations then show_search(model, timings) end
    for _, batch in ipairs(timings.models and { 1, 128 } or {}) do
        matrix(timings.models, ("%s: time at batch %d, as a share of the dense model's"):format(model, batch), "ratio_" .. batch, 1, 2)
    end
    if timings.latencies then show_limits(model, timings) end
end

if page ~= "" then
    local file = io.open(page)
    local words = file and file:read "a" or "# Leaderboard\n\n"
    if file then file:close() end
    local place = words:find("## Tables", 1, true) or #words + 1
    mr.write_text(page, words:sub(1, place - 1) .. "## Tables\n\n" .. table.concat(text, "\n"))
    print(page)
end
