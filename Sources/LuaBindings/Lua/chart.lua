-- Charts as drawings: bars, lines, and a scatter of labelled points.
local svg = require "moonrail.svg"

local chart = {}

--- A number as axes and labels show it.
function chart.plain(value) return ("%.4g"):format(value) end

--- The least and the greatest of `values`, apart from each other.
function chart.range(values)
    local low, high = math.huge, -math.huge
    for _, value in ipairs(values) do low, high = math.min(low, value), math.max(high, value) end
    if low > high then return 0, 1 end
    if low == high then
        local room = math.max(math.abs(low) * 0.1, 1e-3)
        return low - room, high + room
    end
    return low, high
end

local plain, range = chart.plain, chart.range

--- Horizontal bars, one line a value, so that labels never collide however many there are.
--- `spec`: title, labels, values, errors (half-widths, optional), format (value -> text, optional).
function chart.bars(spec)
    local count, format = #spec.values, spec.format or plain
    local low, high, longest, widest = 0, 0, 0, 0
    for i, value in ipairs(spec.values) do
        local err = spec.errors and spec.errors[i] or 0
        low, high = math.min(low, value - err), math.max(high, value + err)
        longest, widest = math.max(longest, svg.text_width(spec.labels[i])), math.max(widest, svg.text_width(format(value)))
    end
    if high == low then high = low + 1 end
    local left, plot, row, top = 20 + longest, 420, 18, 40
    local drawing = svg.drawing(math.max(left + plot + widest + 20, 24 + 1.3 * svg.text_width(spec.title)), top + row * count + 16, spec.title)
    local function x(value) return left + plot * (value - low) / (high - low) end
    for i, value in ipairs(spec.values) do
        local y, err = top + row * (i - 1), spec.errors and spec.errors[i]
        drawing:text(left - 8, y + 13, spec.labels[i], nil, "end")
        drawing:rect(math.min(x(0), x(value)), y + 3, math.abs(x(value) - x(0)), row - 6, value < 0 and "f2" or "f1")
        if err then
            drawing:path("err", "M%.1f %dH%.1fM%.1f %dv6M%.1f %dv6", x(value - err), y + 9, x(value + err), x(value - err), y + 6,
                x(value + err), y + 6)
        end
        drawing:text(x(math.max(value + (err or 0), 0)) + 6, y + 13, format(value), "v")
    end
    drawing:path("axis", "M%.1f %dV%d", x(0), top, top + row * count)
    return drawing
end

-- A frame with a grid in the rectangle from (left, top); gives the functions from values to pixels. `least` is the least
-- distance of the vertical lines.
local function frame(drawing, left, top, width, height, xs, ys, format_x, format_y, least)
    local x_low, x_high = range(xs)
    local y_low, y_high = range(ys)
    local x_room, y_room = (x_high - x_low) * 0.04, (y_high - y_low) * 0.06
    x_low, x_high, y_low, y_high = x_low - x_room, x_high + x_room, y_low - y_room, y_high + y_room
    local function x(value) return left + width * (value - x_low) / (x_high - x_low) end
    local function y(value) return top + height * (y_high - value) / (y_high - y_low) end
    for _, tick in ipairs(svg.ticks(y_low, y_high, 6)) do
        drawing:path("grid", "M%.1f %.1fH%.1f", left, y(tick), left + width)
        drawing:text(left - 8, y(tick) + 4, format_y(tick), "v", "end")
    end
    for _, tick in ipairs(svg.ticks(x_low, x_high, 7, least)) do
        drawing:path("grid", "M%.1f %.1fv%.1f", x(tick), top, height)
        drawing:text(x(tick), top + height + 16, format_x(tick), "v", "middle")
    end
    drawing:path("axis", "M%.1f %.1fV%.1fH%.1f", left, top, top + height, left + width)
    return x, y
end

-- Names of the series with their colours, one after the other from (x, y).
local function legend(drawing, x, y, names)
    for i, name in ipairs(names) do
        drawing:rect(x, y - 9, 10, 10, "f" .. svg.colour(i))
        drawing:text(x + 15, y, name, "v")
        x = x + 31 + svg.text_width(name)
    end
end

--- Panels below each other that share their horizontal axis.
--- `spec`: title, x_label, least (1 for a horizontal axis of whole numbers), panels = { { label, format, series = { { name, xs, ys }, … } }, … }.
function chart.lines(spec)
    local left, width, height, gap = 70, 560, 170, 62
    local drawing = svg.drawing(left + width + 30, 46 + #spec.panels * (height + gap), spec.title)
    for p, panel in ipairs(spec.panels) do
        local top, all_x, all_y, names = 58 + (p - 1) * (height + gap), {}, {}, {}
        for _, series in ipairs(panel.series) do
            names[#names + 1] = series.name
            table.move(series.xs, 1, #series.xs, #all_x + 1, all_x)
            table.move(series.ys, 1, #series.ys, #all_y + 1, all_y)
        end
        local x, y = frame(drawing, left, top, width, height, all_x, all_y, plain, panel.format or plain, spec.least)
        legend(drawing, left, top - 8, names)
        for s, series in ipairs(panel.series) do
            local points = {}
            for i, value in ipairs(series.ys) do
                points[i] = ("%s%.1f %.1f"):format(i == 1 and "M" or "L", x(series.xs[i]), y(value))
                if #series.ys <= 60 then
                    drawing:dot(x(series.xs[i]), y(value), "f" .. svg.colour(s), ("%s %s: %s %s"):format(
                        spec.x_label, plain(series.xs[i]), series.name, (panel.format or plain)(value)))
                end
            end
            if #points > 1 then drawing:path("s" .. svg.colour(s), table.concat(points)) end
        end
        drawing:text(left + width, top + height + 32, spec.x_label, "v", "end")
    end
    return drawing
end

-- Where a label may stand beside its point, in the order of liking: right, left, above, below.
local function places(x, y, width)
    return {
        { x + 8, y + 4, "start", x + 8 }, { x - 8, y + 4, "end", x - 8 - width }, { x, y - 9, "middle", x - width / 2 },
        { x, y + 18, "middle", x - width / 2 },
    }
end

--- Labelled points. Each label goes where it covers no point and no other label; one that finds no such place is left
--- out, and its text shows when a pointer is over the point.
--- `spec`: title, x_label, y_label, format_x, format_y, points = { { x, y, label, series }, … }.
function chart.scatter(spec)
    local left, top, width, height = 76, 74, 560, 320
    local drawing = svg.drawing(left + width + 30, top + height + 52, spec.title)
    local xs, ys, names, colours = {}, {}, {}, {}
    for i, point in ipairs(spec.points) do
        xs[i], ys[i] = point.x, point.y
        local name = point.series or ""
        if not colours[name] then
            names[#names + 1] = name
            colours[name] = svg.colour(#names)
        end
    end
    local x, y = frame(drawing, left, top, width, height, xs, ys, spec.format_x or plain, spec.format_y or plain)
    if #names > 1 then legend(drawing, left, top - 24, names) end
    drawing:text(left, top - 8, spec.y_label, "v")
    drawing:text(left + width, top + height + 36, spec.x_label, "v", "end")
    local taken = {}  -- { left, right, top, bottom } of what is drawn
    for i in ipairs(spec.points) do taken[i] = { x(xs[i]) - 5, x(xs[i]) + 5, y(ys[i]) - 5, y(ys[i]) + 5 } end
    local function is_free(box)
        if box[1] < left or box[2] > drawing.width or box[3] < top or box[4] > top + height then return false end
        for _, other in ipairs(taken) do
            if box[1] < other[2] and other[1] < box[2] and box[3] < other[4] and other[3] < box[4] then return false end
        end
        return true
    end
    for i, point in ipairs(spec.points) do
        local px, py, text_width = x(xs[i]), y(ys[i]), svg.text_width(point.label)
        drawing:dot(px, py, "f" .. colours[point.series or ""], ("%s: %s, %s"):format(
            point.label, (spec.format_x or plain)(point.x), (spec.format_y or plain)(point.y)))
        for _, place in ipairs(places(px, py, text_width)) do
            local box = { place[4], place[4] + text_width, place[2] - 10, place[2] + 3 }
            if is_free(box) then
                taken[#taken + 1] = box
                drawing:text(place[1], place[2], point.label, "v", place[3])
                break
            end
        end
    end
    return drawing
end

return chart
