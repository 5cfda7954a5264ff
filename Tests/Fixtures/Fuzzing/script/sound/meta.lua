local t = setmetatable({}, { __index = function(_, k) return k end, __close = print, __tostring = function() return "t" end }) local x <close> = t return t.y
