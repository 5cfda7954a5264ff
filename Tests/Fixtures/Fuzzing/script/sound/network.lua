local mr = require "moonrail" local m = mr.zoo.mlp { hidden = { 3 }, image = { 1, 2, 2 }, classes = 2 } print(m) return m:forward(mr.ones(1, 1, 2, 2))
