-- The results as tables of Markdown, which a terminal shows as well as a page does.
local tables = {}

local words = { params = "parameters", macs = "multiply-accumulates", bytes = "bytes of the ONNX file" }

local function percent(share, digits) return share and ("%." .. (digits or 2) .. "f"):format(100 * share) or "" end

local function line(cells) print("| " .. table.concat(cells, " | ") .. " |") end

local function cells_of(row)
    local ratio = row.ratio and ("%.2f (%.2f–%.2f)"):format(row.ratio, row.ratio_min, row.ratio_max) or ""
    return {
        row.keep and percent(row.keep, 4):gsub("%.?0+$", "") or "", row.title, percent(row.params_share, 1), percent(row.macs_share, 1),
        percent(row.bytes_share, 1), percent(row.cut), percent(row.repaired), percent(row.own), percent(row.tuned), ratio,
        row.note or "",
    }
end

--- Prints what came out for one model, a table for each quantity that was limited.
function tables.print(dense, rows, budgets)
    for _, budget in ipairs(budgets) do
        print(("\n### %s, at equal %s (dense: %s %%, %d parameters, %.2f M multiply-accumulates, %d bytes)\n"):format(
            dense.name, words[budget], percent(dense.accuracy), dense.cost.params, dense.cost.macs / 1e6, dense.bytes))
        line { "at most, %", "method", "parameters", "MACs", "bytes", "as cut", "batch norm", "own repairs", "tuned", "time", "" }
        line { "---", "---", "---", "---", "---", "---", "---", "---", "---", "---", "---" }
        for _, row in ipairs(rows) do
            if row.budget == budget then line(cells_of(row)) end
        end
    end
end

return tables
