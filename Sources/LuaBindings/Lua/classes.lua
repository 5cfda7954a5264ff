-- Whether labels mean the same to the data of training, the data of a test and the network.

local core = require "moonrail.core"
local classes = {}

-- Names that somebody gave. Data without them count their classes 0, 1, …, and say nothing of what these are.
local function are_named(names)
    for i, name in ipairs(names) do
        if name ~= tostring(i - 1) then return true end
    end
    return false
end

local function shown(names)
    local text = table.concat(names, ", ", 1, math.min(#names, 10))
    return #names > 10 and text .. ", …" or text
end

-- Whether two lists of names may be of the same classes.
local function agree(one, other)
    if not are_named(one) or not are_named(other) then return true end
    if #one ~= #other then return false end
    for i, name in ipairs(one) do
        if name ~= other[i] then return false end
    end
    return true
end

--- Raises unless two data sets have the same classes in the same order; `option` is that of the second.
function classes.check_same(where, train, option, test)
    if agree(train.classes, test.classes) then return end
    core.fail("lua.argument", ("%s: option '%s' has the classes %s, but the training data %s: a label would mean another class; give both the same, as with classes = train.classes")
        :format(where, option, shown(test.classes), shown(train.classes)))
end

--- Raises where the labels of `data` cannot be those of a network that gives `logits` and, where it was trained here, was
--- trained on classes of other names. Results that are no row of classes for each image are not looked at.
function classes.check_outputs(where, model, data, logits)
    local shape, names = logits.shape, data.classes
    if #shape ~= 2 then return end
    local outputs = shape[2]
    if #names > outputs or (#names < outputs and are_named(names)) then
        local unlabelled = #names == 1 and names[1] == "unlabelled"
        core.fail("lua.argument", ("%s: the data has %s, but the network %d outputs; %s"):format(
            where, unlabelled and "no labels" or ("%d classes (%s)"):format(#names, shown(names)), outputs,
            unlabelled and "an accuracy needs labels"
                or "give the data the classes that the network was trained on, as with classes = train.classes"))
    end
    local trained = classes.of(model)
    if trained and not agree(trained, names) then
        core.fail("lua.argument", ("%s: the data has the classes %s, but the network was trained on %s: a label would mean another class; give the data the same, as with classes = train.classes")
            :format(where, shown(names), shown(trained)))
    end
end

--- The classes that a model was trained on, where they have names.
function classes.of(model)
    local names = model:note "classes"
    return type(names) == "table" and names or nil
end

--- Keeps the names of the classes of `data` with the model, also in its file.
function classes.remember(model, data)
    if are_named(data.classes) then model:note("classes", data.classes) end
end

return classes
