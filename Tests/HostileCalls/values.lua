-- Values that no function should trip over: numbers at the ends of their ranges, tables that are no arrays, functions that
-- misbehave, objects of every class in odd states. `values.list` has each of them once, under a name that says what it is;
-- `values.random` draws and combines them.
local mr = require "moonrail"

local values = { list = {}, numbers = {} }

local function add(name, make) values.list[#values.list + 1] = { name = name, make = make } end

for _, number in ipairs {
    math.mininteger, math.mininteger + 1, -(1 << 53), -(1 << 32), -(1 << 31) - 1, -(1 << 31), -65537, -7, -1, 0, 1, 2, 3, 7,
    255, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 32, 1 << 40, 1 << 50, (1 << 53) + 1, 1 << 62, math.maxinteger - 1,
    math.maxinteger, 0.5, -0.5, -0.0, 1.5, 3.0, 5e-324, -5e-324, 1e-310, 1e-40, 1e-38, 1e15, 2 ^ 53, 2 ^ 63, -2 ^ 63, 3.4e38,
    1e39, 1e300, -1e300, 0 / 0, 1 / 0, -1 / 0,
} do
    values.numbers[#values.numbers + 1] = number
    add(tostring(number), function() return number end)
end

for name, text in pairs {
    ["''"] = "", ["'x'"] = "x", ["'a\\0b'"] = "a\0b", ["'\\xff'"] = "\xff\xfe", ["'*'"] = "*", ["'%'"] = "%d%s%[", ["'1'"] = "1",
    ["a pattern"] = ("*a"):rep(30) .. "b", ["a long text"] = ("x"):rep(100000), ["'nan'"] = "nan",
} do add(name, function() return text end) end
add("nil", function() return nil end)
add("true", function() return true end)
add("false", function() return false end)

-- MARK: Tables

-- 64 elements, and a border of the largest integer.
local parts = { "return {" }
for i = 0, 62 do parts[#parts + 1] = ("[%d]=1,"):format(1 << i) end
local border = load(table.concat(parts) .. "[math.maxinteger]=1}")

local function deep(depth)
    local inner = {}
    for _ = 1, depth do inner = { inner } end
    return inner
end
local abyss = deep(100000)

-- Rows of rows of the same row: 30^12 numbers in a few hundred entries.
local function multiplied()
    local inner = { 1 }
    for _ = 1, 12 do
        local outer = {}
        for i = 1, 30 do outer[i] = inner end
        inner = outer
    end
    return inner
end
local crowd = multiplied()

local function endless(value)
    return setmetatable({}, { __len = function() return math.maxinteger end, __index = function() return value end })
end

for name, make in pairs {
    ["{}"] = function() return {} end, ["{{}}"] = function() return { {} } end, ["a hole"] = function() return { 1, nil, 3 } end,
    ["a gap"] = function() return { 1, 2, 3, [5] = 5 } end, ["from 0"] = function() return { [0] = 1, 2 } end,
    ["from 2"] = function() return { [2] = 1 } end, ["a border"] = border, ["in itself"] = function()
        local t = {}
        t[1], t[2], t.a, t[3] = t, t, t, t
        return t
    end,
    ["deep"] = function() return deep(150) end, ["very deep"] = function() return abyss end, ["a crowd"] = function() return crowd end,
    ["endless numbers"] = function() return endless(1) end, ["endless tables"] = function() return endless({}) end,
    ["{'x'}"] = function() return { "x" } end, ["{x=1}"] = function() return { x = 1 } end, ["{true}"] = function() return { true } end,
    ["{print}"] = function() return { print } end, ["bytes as keys"] = function() return { ["\xff"] = 1, ["\u{FFFD}"] = 2, ["\xfe"] = 3 } end,
    ["odd keys"] = function() return { [true] = 1, [1.5] = 2, [print] = 3, [{}] = 4 } end,
    ["{*=max}"] = function() return { ["*"] = math.maxinteger } end, ["{*=min}"] = function() return { ["*"] = math.mininteger } end,
    ["{*=nan}"] = function() return { ["*"] = 0 / 0 } end, ["{*={min}}"] = function() return { ["*"] = { math.mininteger } } end,
    ["failing metamethods"] = function()
        return setmetatable({}, { __index = error, __len = error, __pairs = error, __call = error, __tostring = error, __eq = error })
    end,
    ["a table with a name"] = function() return setmetatable({}, { __name = "Tensor" }) end,
    ["a false class"] = function() return setmetatable({}, { __metatable = "Tensor" }) end,
    ["600 ones"] = function()
        local list = {}
        for i = 1, 600 do list[i] = 1 end
        return list
    end,
} do add(name, make) end
for _, array in ipairs {
    { 0 }, { -1 }, { 1 }, { 1, 1 }, { 2, 2, 2 }, { 1, -2, 3, 4 }, { math.maxinteger }, { math.mininteger }, { math.maxinteger, 2 },
    { math.mininteger, math.mininteger }, { math.maxinteger, 1, 1 }, { 1, 1 << 31, 1 << 31 }, { 1 << 32, 1 << 32 }, { 0, math.maxinteger },
    { 1, math.maxinteger, math.maxinteger, math.maxinteger }, { 0 / 0 }, { 1e300 }, { 5e-324 }, { -1e300, 1 }, { 1 / 0, 1 },
    { 65536, 65536, 65536, 65536 }, { 1 << 25, 1 << 25 }, { 1.5 },
} do
    local words = {}
    for i, number in ipairs(array) do words[i] = tostring(number) end
    add("{" .. table.concat(words, ",") .. "}", function() return { table.unpack(array) } end)
end

-- MARK: Functions and coroutines

for name, result in pairs { ["nan"] = 0 / 0, ["min"] = math.mininteger, ["max"] = math.maxinteger, ["1e300"] = 1e300, ["text"] = "x" } do
    add("function: " .. name, function() return function() return result end end)
end
for name, f in pairs {
    ["nothing"] = function() end, ["its arguments"] = function(...) return ... end, ["{}"] = function() return {} end, ["error"] = error,
    ["yield"] = coroutine.yield, ["a border"] = border, ["raises {}"] = function() error {} end, ["raises nil"] = function() error() end,
    ["200 results"] = function() return table.unpack({}, 1, 200) end, ["itself"] = function() return function(...) return ... end end,
} do add("function: " .. name, function() return f end) end
add("a coroutine", function() return coroutine.create(print) end)

-- MARK: Objects

for name, make in pairs {
    ["T[]"] = function() return mr.tensor(1) end, ["T[0]"] = function() return mr.zeros(0) end, ["T[0,3]"] = function() return mr.zeros(0, 3) end,
    ["T[3]"] = function() return mr.zeros(3) end, ["T[3,3]"] = function() return mr.zeros(3, 3) end, ["T nan"] = function() return mr.zeros(3, 3) / 0 end,
    ["T 3e38"] = function() return mr.ones(3, 3) * 3e38 end, ["T 1e-45"] = function() return mr.ones(3, 3) * 1e-45 end,
    ["T[1,1,1,1]"] = function() return mr.ones(1, 1, 1, 1) end, ["T[2,1,6,6]"] = function() return mr.ones(2, 1, 6, 6) end,
    ["T[1,1,1,1,1,1,1,1,1]"] = function() return mr.ones(1, 1, 1, 1, 1, 1, 1, 1, 1) end,
    ["T int64 min"] = function() return mr.tensor({ math.mininteger }, { dtype = "int64" }) end,
    ["T int64 max"] = function() return mr.tensor({ math.maxinteger }, { dtype = "int64" }) end,
    ["T int64 ends"] = function() return mr.tensor({ math.mininteger, 0, math.maxinteger }, { dtype = "int64" }) end,
    ["T int64 [0]"] = function() return mr.zeros(0):to "int64" end, ["T uint8"] = function() return mr.ones(2, 2):to "uint8" end,
    ["T a view"] = function() return mr.ones(4, 4):t():slice(1, 1, 4, 2) end, ["T wide"] = function() return mr.ones(1):expand(1 << 16) end,
    ["T watched"] = function() return mr.tape():watch(mr.ones(3, 3)) end, ["a tape"] = function() return mr.tape() end,
    ["a layer"] = function() return mr.nn.relu() end, ["an optimizer"] = function() return mr.optim.sgd { lr = 0.1 } end,
    ["an iterator"] = function() return mr.iter { 1, 2 } end, ["rows"] = function() return mr.rows { { a = 1 } } end,
    ["rows of numbers"] = function() return mr.rows { 1, 2 } end, ["a train"] = function() return mr.tt.decompose(mr.ones(2, 2), { ranks = 1 }) end,
} do add(name, make) end

-- In one order in every run: a number stands for the same call.
table.sort(values.list, function(a, b) return a.name < b.name end)

-- MARK: Random values

local function number(draw) return values.numbers[draw(#values.numbers)] end

-- A small whole number four times out of ten, so that what comes behind the first check is reached too.
local function mixed(draw) return draw(10) <= 4 and draw(6) - 1 or number(draw) end

--- Any value, with its name: a listed one, a number, or an array of numbers. `draw(n)` gives one of 1…n.
function values.random(draw)
    local kind = draw(10)
    if kind <= 4 then return number(draw) end
    if kind <= 7 then
        local entry = values.list[draw(#values.list)]
        return entry.make()
    end
    local array = {}
    for i = 1, draw(5) do array[i] = mixed(draw) end
    if kind == 10 then return { array, mixed(draw) } end
    return array
end

return values
