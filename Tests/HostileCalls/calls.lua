-- Calls by number, with hostile values in the place of arguments and options: up to `systematic` one listed value stands
-- in one place; beyond, the seed and the number draw the function, the places and the values.
-- Returns { systematic, reset(), perform(number), describe(number) }.
local values, subjects, entries, seed = ...
local in_network = entries.in_network
entries = entries.list

-- MARK: Using what came back, where the call itself only stores its arguments

local function use(result, draw)
    local kind = getmetatable(result)
    if kind == "Layer" or type(kind) == "table" and kind.__name == "Block" then
        return in_network(function(x) return result(x) end)
    end
    if kind == "Tensor" then return result.count <= 1000 and tostring(result) or nil end
    if kind == "TensorTrain" or kind == "TTMatrix" or kind == "TTConvolution" then return tostring(result) end
    if kind == "Dataset" then for batch in result:epoch() do return batch.y end end
    if type(kind) == "table" and kind.__name == "Iterator" then return result:take(5):list() end
    if type(kind) == "table" and kind.__name == "Rows" then return tostring(result), result:csv() end
    if type(result) == "function" then return result(values.numbers[draw(#values.numbers)]) end
end

-- MARK: Numbers of calls

-- One value in one place: entries by how many such calls they have. Slow functions get some of the values only.
local ranges, systematic = {}, 0
for _, entry in ipairs(entries) do
    local spots = {}
    for _, place in ipairs(entry.places) do
        spots[#spots + 1] = { place = place }
        for _, option in ipairs(place.options or {}) do spots[#spots + 1] = { place = place, option = option } end
    end
    entry.spots = spots
    local stride = entry.slowness >= 1000 and 97 or entry.slowness >= 500 and 29 or entry.slowness >= 100 and 13 or entry.slowness >= 30 and 5 or 1
    local count = math.max(1, #spots * (#values.list // stride))
    ranges[#ranges + 1] = { entry = entry, first = systematic + 1, stride = stride, count = count }
    systematic = systematic + count
end

-- A generator of whole numbers for each call: splitmix64 of the seed and the number.
local function drawing(number)
    local state = seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9
    return function(count)
        state = state + 0x9E3779B97F4A7C15
        local z = state
        z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
        z = (z ~ (z >> 27)) * 0x94D049BB133111EB
        z = z ~ (z >> 31)
        return (z >> 1) % count + 1
    end
end

-- Entries by how often they are drawn.
local wheel, turns = {}, 0
for _, entry in ipairs(entries) do
    turns = turns + math.max(1, 3000 // entry.slowness)
    wheel[#wheel + 1] = { entry = entry, last = turns }
end

local function drawn(draw)
    local turn, low, high = draw(turns), 1, #wheel
    while low < high do
        local middle = (low + high) // 2
        if wheel[middle].last >= turn then high = middle else low = middle + 1 end
    end
    return wheel[low].entry
end

local function valid(maker)
    if maker then return maker() end
end

-- Options that a function does not go far without, or is slow without. Some exclude each other.
local needed = {
    channels = true, image = true, lr = true, to = true, modes = true, dir = true, size = true, shape = true, models = true, build = true,
    budget = true, policy = true, images = true, formats = true, kernel = true, runs = true,
}

local function is_needed(entry, option, hostile)
    if option.name == "ranks" then
        return not (hostile and (hostile.name == "error" or hostile.name == "keep" or hostile.name == "max_rank"))
    end
    if option.name == "error" then return hostile ~= nil and hostile.name == "max_rank" end
    if option.name == "padding" then return entry.name == "mr.nn.pad" end
    if option.name == "features" then return entry.name == "mr.nn.linear" end
    if option.name == "budget" then return entry.name == "mr.plan" end
    return needed[option.name] == true
end

-- What the call is, and its arguments.
local function systematic_call(number)
    local low, high = 1, #ranges
    while low < high do
        local middle = (low + high + 1) // 2
        if ranges[middle].first <= number then low = middle else high = middle - 1 end
    end
    local range = ranges[low]
    local entry, offset = range.entry, number - range.first
    local spot = entry.spots[offset % math.max(1, #entry.spots) + 1]
    local value = values.list[(offset // math.max(1, #entry.spots) * range.stride + offset % range.stride) % #values.list + 1]
    local arguments, count = {}, #entry.places
    for i, place in ipairs(entry.places) do
        if spot and spot.place == place and not spot.option then
            arguments[i] = value.make()
        elseif place.options then
            local options = {}
            for _, option in ipairs(place.options) do
                if spot and spot.option == option then options[option.name] = value.make()
                elseif is_needed(entry, option, spot and spot.option) then options[option.name] = valid(option.valid) end
            end
            arguments[i] = options
        else
            arguments[i] = valid(place.valid)
        end
    end
    local where = spot and (spot.option and spot.option.name or spot.place.name) or "no argument"
    return entry, arguments, count, ("%s, %s = %s"):format(entry.name, where, value.name)
end

local function random_call(number)
    local draw = drawing(number)
    local entry = drawn(draw)
    local arguments, count = {}, #entry.places
    local boldness = draw(4)  -- of ten places, about so many times two hold something hostile
    local function one(place)
        if draw(10) <= boldness * 2 then return values.random(draw) end
        return valid(place.valid)
    end
    for i, place in ipairs(entry.places) do
        if place.options and draw(12) > 1 then
            local options = {}
            for _, option in ipairs(place.options) do
                if draw(2) == 1 then options[option.name] = one(option) end
            end
            arguments[i] = options
        else
            arguments[i] = one(place)
        end
    end
    if draw(20) == 1 then count = draw(count + 2) - 1 end
    return entry, arguments, count, ("%s, random"):format(entry.name), draw
end

local function prepared(number)
    if number <= systematic then return systematic_call(number) end
    return random_call(number)
end

local calls = { systematic = systematic, reset = subjects.reset, entries = #entries }

--- Makes a call. Returns nothing, or the error value that it ended with.
function calls.perform(number)
    local entry, arguments, count, _, draw = prepared(number)
    local result = entry.call(table.unpack(arguments, 1, count))
    if result ~= nil then use(result, draw or drawing(number)) end
end

--- The call in words, for whoever repeats it.
function calls.describe(number)
    local _, arguments, count, text = prepared(number)
    local words = {}
    for i = 1, count do
        local argument = arguments[i]
        if type(argument) == "table" and not getmetatable(argument) then
            local parts = {}
            for key, value in pairs(argument) do
                parts[#parts + 1] = ("%s = %s"):format(tostring(key):sub(1, 30), tostring(type(value) == "table" and "table" or value):sub(1, 60))
                if #parts > 12 then break end
            end
            words[i] = "{ " .. table.concat(parts, ", ") .. " }"
        else
            words[i] = type(argument) == "table" and "a table with a metatable" or tostring(argument):sub(1, 60):gsub("\n.*", "")
        end
    end
    return text .. ": " .. table.concat(words, "; ")
end

return calls
