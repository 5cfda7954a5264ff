local c = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) error { b } end) c(1) return pcall(c, 2)
