local t = { 1, 2, x = "y" } for k, v in pairs(t) do print(k, v) end return #t, ("a"):rep(3), string.format("%5.1f", 2)
