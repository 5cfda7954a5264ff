-- Programs in Python that benchmarks start: which packages are missing, and the JSON lines that a program prints.
local mr = require "moonrail"

local python = {}

--- A word of a shell's command line.
function python.quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

--- The beginning of a command line. The spinning that scripts/moonrail limits is a setting of our process: programs of others run
--- as they do by themselves, or with another `setting` such as "NAME=value".
function python.command(path, setting)
    return ("exec env -u GOMP_SPINCOUNT %s %s"):format(setting or "", python.quoted(path))
end

--- Those of the modules `names` that the Python at `path` does not have; nil where it is no Python that runs.
function python.missing(path, names)
    local program = "import importlib.util, sys; print(*[n for n in sys.argv[1:] if importlib.util.find_spec(n) is None])"
    local pipe = io.popen(("%s -c %s %s 2>/dev/null"):format(python.command(path), python.quoted(program), table.concat(names, " ")))
    local text = pipe:read "a"
    if not pipe:close() then return nil end
    local missing = {}
    for name in text:gmatch "%S+" do missing[#missing + 1] = name end
    return missing
end

--- The JSON lines that a command prints, as tables. `who` begins the error where it fails or prints something else.
function python.lines(who, command)
    local pipe = io.popen(command)
    local text = pipe:read "a"
    if not pipe:close() then error(("%s: this failed:\n    %s"):format(who, command), 0) end
    local path, lines = os.tmpname(), {}
    for line in text:gmatch "[^\n]+" do
        mr.write_text(path, line)
        local read, value = pcall(mr.read_json, path)
        if not read then
            os.remove(path)
            error(("%s: this printed no JSON line:\n    %s\n%s"):format(who, command, text), 0)
        end
        lines[#lines + 1] = value
    end
    os.remove(path)
    return lines
end

return python
