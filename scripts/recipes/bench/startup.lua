-- How long a process takes from start to end. Lua starts one through a shell; what the shell alone takes is measured
-- beside it and taken off.
local measure = require "bench.measure"
local mr = require "moonrail"

local commands = {
    ["--version"] = "--version",
    ["require"] = "run %s",
}

local function binary()
    local path = os.getenv "MOONRAIL_BINARY"
    if path then return path end
    error("startup: MOONRAIL_BINARY must name the command to start; scripts/bench sets it", 0)
end

local function shell(command)
    if not os.execute(command) then error(("startup: '%s' failed"):format(command), 0) end
end

return {
    -- One of them with --case; any other name is another benchmark's case.
    cases = function(args)
        if commands[args.case] then return { { what = args.case } } end
        return { { what = "--version" }, { what = "require" } }
    end,
    run = function(case, args)
        local script = os.tmpname()
        mr.write_text(script, 'require "moonrail"\n')
        local command = ("exec '%s' %s > /dev/null"):format(binary(), commands[case.what]:format(script))
        local alone = measure.calls(args, 30, 3, function() shell ":" end)
        local row = measure.calls(args, 30, 3, function() shell(command) end)
        os.remove(script)
        for _, key in ipairs { "ms", "min", "max" } do row[key] = row[key] - alone.ms end
        row.shell_ms = alone.ms
        return row
    end,
}
