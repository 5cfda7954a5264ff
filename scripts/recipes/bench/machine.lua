-- The machine that benchmarks run on, as Linux tells it under /proc.
local machine = {}

local function text_of(path)
    local file = io.open(path)
    if not file then return "" end
    local text = file:read "a"
    file:close()
    return text
end

--- The processor in words, such as "AMD EPYC, family 25, model 1, AVX2"; nil where the system does not tell. Its name
--- alone would not do: virtual machines call several generations the same.
function machine.processor(text)
    text = "\n" .. (text or text_of "/proc/cpuinfo")
    local function field(name) return text:match("\n" .. name .. "%s*:%s*([^\n]+)") end
    local name, flags = field "model name", " " .. (field "flags" or "") .. " "
    if not name then return nil end
    local vectors = flags:find " avx512f " and "AVX-512" or flags:find " avx2 " and "AVX2" or "no AVX2"
    return ("%s, family %s, model %s, %s"):format(name:gsub("%s+$", ""), field "cpu family" or "?", field "model" or "?", vectors)
end

-- Processor time is counted in hundredths of a second, whatever the kernel's own clock is.
local ticks_per_second = 100

--- Seconds of processor time since the machine started, all processors together, and of this process with the children
--- it has waited for.
function machine.processor_seconds()
    local user, nice, system, irq, soft = text_of("/proc/stat"):match "^cpu%s+(%d+) (%d+) (%d+) %d+ %d+ (%d+) (%d+)"
    if not user then return 0, 0 end
    -- What follows the name of the program, which may contain anything; fields 14 to 17 of proc(5).
    local own, field = 0, 2
    for word in (text_of("/proc/self/stat"):match ".*%)(.*)" or ""):gmatch "%S+" do
        field = field + 1
        if field >= 14 and field <= 17 then own = own + tonumber(word) end
    end
    return (user + nice + system + irq + soft) / ticks_per_second, own / ticks_per_second
end

return machine
