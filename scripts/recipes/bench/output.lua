-- Results as JSON lines, and as a table whose rows appear one by one.
local mr = require "moonrail"

local output = {}

--- The most memory this process has held since `reset_peak`, in MiB; nil where the system does not tell.
function output.resident_megabytes()
    local status = io.open "/proc/self/status"
    if not status then return nil end
    local text = status:read "a"
    status:close()
    local kilobytes = tonumber(text:match "VmHWM:%s*(%d+)")
    return kilobytes and kilobytes / 1024
end

--- Lets the next benchmark have a peak of its own.
function output.reset_peak()
    local control = io.open("/proc/self/clear_refs", "w")
    if not control then return end
    control:write "5"
    control:close()
end

function output.json_line(row) print(mr.json(row)) end

--- What a row was measured on, in words: "resnet20, batch 128".
function output.subject(row)
    local words = {}
    for _, key in ipairs { "net", "what", "size", "batch", "C", "hw", "N", "images", "case" } do
        local value = row[key]
        if value ~= nil then words[#words + 1] = (key == "net" or key == "what" or key == "case") and tostring(value) or key .. " " .. tostring(value) end
    end
    return table.concat(words, ", ")
end

--- The times of a row by what they belong to: one of them, or one for each rank.
function output.times(row)
    if type(row.ms) == "number" then return { { label = "", ms = row.ms, min = row.min, max = row.max } } end
    local list = {}
    for key, ms in pairs(row.ms) do
        list[#list + 1] = { key = key, label = key == "0" and "dense" or "rank " .. key, ms = ms, min = row.min[key], max = row.max[key] }
    end
    table.sort(list, function(a, b) return tonumber(a.key) < tonumber(b.key) end)
    return list
end

--- A function that prints rows below a heading.
function output.table_rows()
    local line = "%-11s %-32s %11s %11s %11s %9s %9s"
    print(line:format("benchmark", "of", "ms", "min", "max", "img/s", "MiB"))
    return function(row)
        for _, time in ipairs(output.times(row)) do
            local subject = output.subject(row) .. (time.label ~= "" and ", " .. time.label or "")
            local function figure(value, places) return value and ("%." .. places .. "f"):format(value) or "" end
            print((line:format(
                row.bench, subject, figure(time.ms, 3), figure(time.min, 3), figure(time.max, 3), figure(row.img_s, 0),
                figure(row.rss_mb, 0)):gsub("%s+$", "")))
        end
    end
end

return output
