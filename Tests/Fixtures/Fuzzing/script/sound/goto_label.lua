for i = 1, 3 do if i == 2 then goto next end ::next:: end local a <const> = 5 return function(...) return a, ... end
