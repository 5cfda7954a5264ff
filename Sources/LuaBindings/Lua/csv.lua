-- Rows of comma-separated values, as spreadsheets have them: Rows:csv writes and mr.read_csv reads them.
local core = require "moonrail.core"
local rows = require "moonrail.rows"

-- The fields of one record from `start` on, and where the next begins. Text in quotes may hold commas, newlines and
-- doubled quotes; what stands outside of them and reads as a number becomes one.
local function record(text, start)
    local fields, position = {}, start
    while true do
        local value
        if text:sub(position, position) == '"' then
            local parts, from = {}, position + 1
            repeat
                local quote = text:find('"', from, true)
                if not quote then error("a quote is never closed", 0) end
                parts[#parts + 1] = text:sub(from, quote - 1)
                position, from = quote + 1, quote + 2
            until text:sub(position, position) ~= '"'
            value = table.concat(parts, '"')
        else
            local last = text:find("[,\r\n]", position) or #text + 1
            local word = text:sub(position, last - 1)
            value, position = tonumber(word) or word, last
        end
        fields[#fields + 1] = value
        local follower = text:match("^\r?\n", position) or text:sub(position, position)
        if follower ~= "," then
            if follower ~= "" and not follower:find "\n" then error("text follows a closing quote", 0) end
            return fields, position + #follower
        end
        position = position + 1
    end
end

-- Rows of comma-separated text whose first line names the columns; an empty cell is nil. As RFC 4180 has it.
local function parse(text, name)
    local heads, position = record(text, 1)
    local list, view = {}, {}
    for c, head in ipairs(heads) do
        heads[c] = tostring(head)
        view[c] = { heads[c], heads[c] }
    end
    while position <= #text do
        local fields
        fields, position = record(text, position)
        local row = {}
        for c, value in ipairs(fields) do
            if not heads[c] then
                error(("%s: row %d has %d cells, but the heading %d"):format(name, #list + 1, #fields, #heads), 0)
            end
            if value ~= "" then row[heads[c]] = value end
        end
        list[#list + 1] = row
    end
    return rows.wrap(list, view)
end

--- The columns that print, as comma-separated values.
function rows.methods.csv(list)
    local function quote(text) return text:find('[,"\n]') and '"' .. text:gsub('"', '""') .. '"' or text end
    local out, heads = {}, {}
    local columns = rows.columns(list)
    for c, column in ipairs(columns) do heads[c] = quote(column[1]) end
    out[1] = table.concat(heads, ",")
    for r, row in ipairs(list) do
        local cells = {}
        for c, column in ipairs(columns) do
            local value = row[column[1]]
            cells[c] = quote(type(value) == "number" and ("%.10g"):format(value) or rows.text(value))
        end
        out[r + 1] = table.concat(cells, ",")
    end
    return table.concat(out, "\n") .. "\n"
end

--- Rows of a file of comma-separated values.
return function(path)
    local text = core.read_text(path)
    local ok, list = pcall(parse, text, path)
    if not ok then error(tostring(list):find(path, 1, true) and list or ("mr.read_csv: %s: %s"):format(path, tostring(list)), 0) end
    return list
end
