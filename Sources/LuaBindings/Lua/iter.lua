-- mr.iter: sequences that are worked out one element at a time: mr.iter(list):filter(f):map(g):take(3):list().

local check = require "moonrail.check"
local core = require "moonrail.core"

local methods = {}
local Iterator = { __name = "Iterator", __index = methods }

-- A sequence gives its next element whenever it is called, nil at its end; `for x in sequence do` calls it so.
function Iterator.__call(self) return self.step() end

local function make(step) return setmetatable({ step = step }, Iterator) end

local function whole(where, name, value, least)
    local number = math.tointeger(value)
    if not number or number < least then
        core.fail("lua.argument", ("%s: %s must be a whole number of at least %d, got %s"):format(where, name, least, tostring(value)))
    end
    return number
end

local function of_list(list)
    local i = 0
    return make(function()
        i = i + 1
        return list[i]
    end)
end

-- The sequence of an array, of rows, of a data set's epoch, of the numbers 1…n, or of whatever a generic `for` runs over.
local function from(source, state, control)
    if getmetatable(source) == Iterator then return source end
    if math.type(source) == "integer" then
        local i = 0
        return make(function()
            i = i + 1
            return i <= source and i or nil
        end)
    end
    local meta = getmetatable(source)
    if type(source) == "function" or (type(meta) == "table" and meta.__call) then
        return make(function()
            control = source(state, control)
            return control
        end)
    end
    if type(source) == "table" then return of_list(source) end
    core.fail("lua.argument", ("mr.iter: needs an array, a whole number or an iterator, got a %s"):format(type(source)))
end

--- What `change` makes of each element; nil ends the sequence.
function methods.map(self, change)
    check.callable("Iterator:map", 1, "change", change)
    return make(function()
        local value = self.step()
        if value == nil then return nil end
        return change(value)
    end)
end

--- The elements for which `keep` gives true.
function methods.filter(self, keep)
    check.callable("Iterator:filter", 1, "keep", keep)
    return make(function()
        local value
        repeat value = self.step() until value == nil or keep(value)
        return value
    end)
end

--- The first `count` elements. The next one is not asked for.
function methods.take(self, count)
    local left = whole("Iterator:take", "argument 1 (count)", count, 0)
    return make(function()
        if left == 0 then return nil end
        left = left - 1
        return self.step()
    end)
end

--- The elements after the first `count`.
function methods.skip(self, count)
    local left = whole("Iterator:skip", "argument 1 (count)", count, 0)
    return make(function()
        while left > 0 do
            left = left - 1
            if self.step() == nil then left = 0 end
        end
        return self.step()
    end)
end

--- Arrays of `size` elements each, the last one shorter where they do not come out even.
function methods.chunk(self, size)
    size = whole("Iterator:chunk", "argument 1 (size)", size, 1)
    return make(function()
        local chunk = {}
        while #chunk < size do
            local value = self.step()
            if value == nil then break end
            chunk[#chunk + 1] = value
        end
        return chunk[1] ~= nil and chunk or nil
    end)
end

--- Pairs { index, element } with indices from 1.
function methods.enumerate(self)
    local i = 0
    return self:map(function(value)
        i = i + 1
        return { i, value }
    end)
end

--- Pairs { a, b } of this sequence and another, as long as both go on.
function methods.zip(self, other)
    other = from(other)
    return make(function()
        local a = self.step()
        if a == nil then return nil end
        local b = other.step()
        if b == nil then return nil end
        return { a, b }
    end)
end

--- fold(…fold(fold(start, first), second)…), with fold(so_far, element).
function methods.fold(self, start, fold)
    check.callable("Iterator:fold", 2, "fold", fold)
    for value in self do start = fold(start, value) end
    return start
end

--- All elements as an array.
function methods.list(self)
    local list = {}
    for value in self do list[#list + 1] = value end
    return list
end

return { from = from, methods = methods }
