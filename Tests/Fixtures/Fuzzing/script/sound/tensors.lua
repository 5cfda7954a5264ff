local mr = require "moonrail" local x = mr.randn(3, 4) return (x:matmul(x:t()) + 1):sum(), x:slice(1, 2, 3), x[1]
