-- Rows of comma-separated values, as spreadsheets have them: Rows:csv writes and mr.read_csv reads them.
--
-- What is written comes back as what it was. Numbers, true and false stand as they are; text that reads as one of them
-- stands in quotes, and so does text without characters, as an empty cell is no value at all.
local core = require "moonrail.core"
local rows = require "moonrail.rows"

local byte_order_mark = "\xEF\xBB\xBF"

-- Read rather than computed: 0 / 0 would be noted by the processor, whose notes tell the first run of a network that a
-- not-a-number arose (NotANumberRoute), on threads that are made later too.
local nan = string.unpack("<d", "\0\0\0\0\0\0\xF8\x7F")

-- Numbers that are not finite, as Lua, NumPy, R and JavaScript spell them. Other spellings are names that people have.
local not_finite = {}
for _, word in ipairs { "nan", "NaN", "NAN" } do not_finite[word], not_finite["-" .. word] = nan, nan end
for _, word in ipairs { "inf", "Inf", "INF", "infinity", "Infinity" } do
    not_finite[word], not_finite["-" .. word] = math.huge, -math.huge
end

-- What a cell without quotes holds: a number or a truth value where it is nothing else, and otherwise its text. Digits
-- behind a leading zero, and numbers too large to be held, are identifiers: as numbers they would lose digits.
local function value_of(text)
    local word = text:match "^[ \t]*(.-)[ \t]*$"
    if word == "true" then return true elseif word == "false" then return false end
    if not_finite[word] then return not_finite[word] end
    local digits, rest = word:match "^%-?(%d*)(.*)$"
    if digits:find "^0%d" or not word:find "%d" then return text end
    local number = tonumber(word)
    local is_kept
    if rest == "" then
        is_kept = math.type(number) == "integer"
    else
        is_kept = (rest:find "^%.?%d*$" or rest:find "^%.?%d*[eE][+-]?%d+$") and number and number - number == 0
    end
    return is_kept and number or text
end

-- The cells of one record from `start` on, whether each stood in quotes, and where the next record begins. Text in quotes
-- may hold commas, newlines and doubled quotes.
local function record(text, start)
    local cells, quoted, position = {}, {}, start
    while true do
        local cell = #cells + 1
        if text:sub(position, position) == '"' then
            local parts, from = {}, position + 1
            repeat
                local quote = text:find('"', from, true)
                if not quote then core.fail("csv.invalid", "a quote is never closed") end
                parts[#parts + 1] = text:sub(from, quote - 1)
                position, from = quote + 1, quote + 2
            until text:sub(position, position) ~= '"'
            cells[cell], quoted[cell] = table.concat(parts, '"'), true
        else
            local last = text:find("[,\r\n]", position) or #text + 1
            cells[cell], position = text:sub(position, last - 1), last
        end
        local follower = text:match("^\r?\n", position) or text:sub(position, position)
        if follower ~= "," then
            if follower ~= "" and not follower:find "[\r\n]" then core.fail("csv.invalid", "text follows a closing quote") end
            return cells, quoted, position + #follower
        end
        position = position + 1
    end
end

-- The names of the columns by place. Spreadsheets leave columns without a name and without cells at the right.
local function headings(cells)
    local heads, view, places = {}, { grows = true }, {}
    for c, head in ipairs(cells) do
        if places[head] and head ~= "" then
            core.fail("csv.invalid", ("columns %d and %d are both called '%s'"):format(places[head], c, head))
        end
        if not places[head] then
            heads[c], places[head] = head, c
            view[#view + 1] = { head, head }
        end
    end
    return heads, view
end

-- Rows of comma-separated text whose first line names the columns; an empty cell is nil, and a blank line is no row. As
-- RFC 4180 has it.
local function parse(text)
    if text:find "^\xFF\xFE" or text:find "^\xFE\xFF" then core.fail("csv.invalid", "is UTF-16; save it as UTF-8") end
    local position = text:sub(1, 3) == byte_order_mark and 4 or 1
    local heads, view, width
    local list = {}
    while position <= #text do
        local cells, quoted
        cells, quoted, position = record(text, position)
        local is_blank = #cells == 1 and not quoted[1] and not cells[1]:find "[^ \t]"
        if not is_blank and not heads then
            heads, view = headings(cells)
            width = #cells
        elseif not is_blank then
            local row = {}
            for c, cell in ipairs(cells) do
                local value = quoted[c] and cell
                if not quoted[c] and cell ~= "" then value = value_of(cell) end
                if quoted[c] or cell ~= "" then
                    if c > width then
                        core.fail("csv.invalid", ("row %d has %d cells, but the heading %d"):format(#list + 1, #cells, width))
                    end
                    if not heads[c] then core.fail("csv.invalid", ("row %d has a value in column %d, which has no name"):format(#list + 1, c)) end
                    row[heads[c]] = value
                end
            end
            list[#list + 1] = row
        end
    end
    return rows.wrap(list, view or { grows = true })
end

-- The shortest digits that come back as the same number, which stays a whole one or none.
local function digits(number)
    if math.type(number) == "integer" then return ("%d"):format(number) end
    if number ~= number then return "nan" end
    if math.abs(number) == math.huge then return number > 0 and "inf" or "-inf" end
    for precision = 15, 17 do
        local text = ("%%.%dg"):format(precision):format(number)
        if tonumber(text) == number then return text:find "[.e]" and text or text .. ".0" end
    end
end

local function quote(text)
    local is_plain = text ~= "" and not text:find '[,"\r\n]' and text:sub(1, 3) ~= byte_order_mark and value_of(text) == text
    return is_plain and text or '"' .. text:gsub('"', '""') .. '"'
end

-- A cell; `place` is for the message where there is none for such a value.
local function cell(value, place)
    if value == nil then return "" end
    if type(value) == "number" then return digits(value) end
    if type(value) == "boolean" then return tostring(value) end
    if type(value) == "table" and not getmetatable(value) then
        for key in pairs(value) do
            if math.type(key) ~= "integer" then
                core.fail("lua.argument", ("%s is a table with names, which no cell holds; save the rows as .json"):format(place()))
            end
        end
    end
    return quote(rows.text(value))
end

-- Rows that have no view are written whole: a key that is no name has no column, and would be gone.
local function check_keys(list)
    for r, row in ipairs(list) do
        for key in pairs(row) do
            if type(key) ~= "string" then
                core.fail("lua.argument", ("Rows:csv: row %d has the key %s; columns have names, so write tostring(key), or save the rows as .json")
                    :format(r, tostring(key)))
            end
        end
    end
end

local function text_of(list)
    local out, heads = {}, {}
    local view, columns = rows.view(list), rows.columns(list)
    if not view or view.grows then check_keys(list) end
    for c, column in ipairs(columns) do
        local head = tostring(column[1])
        heads[c] = (head:find '[,"\r\n]' or head == "" or head:sub(1, 3) == byte_order_mark) and '"' .. head:gsub('"', '""') .. '"' or head
    end
    out[1] = table.concat(heads, ",")
    for r, row in ipairs(list) do
        local cells = {}
        for c, column in ipairs(columns) do
            cells[c] = cell(row[column[1]], function() return ("Rows:csv: row %d: '%s'"):format(r, column[1]) end)
        end
        out[r + 1] = table.concat(cells, ",")
        if out[r + 1] == "" then
            core.fail("lua.argument", ("Rows:csv: row %d has no value, so its line would be blank and no row; leave it out, or save the rows as .json"):format(r))
        end
    end
    return table.concat(out, "\n") .. "\n"
end

--- The columns that print, as comma-separated values that mr.read_csv reads as they were.
function rows.methods.csv(list)
    local point <close> = core.decimal_point()
    return text_of(list)
end

--- Rows of a file of comma-separated values.
return function(path)
    local ok, list = pcall(parse, core.read_text(path))
    if not ok then core.fail("csv.invalid", ("mr.read_csv: %s: %s"):format(path, tostring(list))) end
    return list
end
