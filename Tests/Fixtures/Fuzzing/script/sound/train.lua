local mr = require "moonrail" local v = mr.tt.decompose(mr.ones(3, 4, 5), { ranks = 2 }) return v:curve(), mr.rows { { a = 1 } }:csv()
