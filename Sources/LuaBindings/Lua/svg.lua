-- Drawings as SVG text. A drawing is a list of elements with a width and a height; it becomes a file of its own, or a
-- part of a page that carries `svg.style` itself.
local core = require "moonrail.core"

local svg = {}

--- Colours follow the reader's scheme. The paper is painted, because a file may be shown on a page of another colour.
svg.style = [[
:root{color-scheme:light dark;--paper:#fff;--ink:#24292f;--dim:#5f6872;--line:#d5d9de;
--c1:#1f6fb5;--c2:#b9501b;--c3:#2a7f4f;--c4:#8250b0;--c5:#8a6a00;--c6:#b02a5b}
@media(prefers-color-scheme:dark){:root{--paper:#15191e;--ink:#e4e8ec;--dim:#9aa4ae;--line:#39424b;
--c1:#5fa8e6;--c2:#ee8f5c;--c3:#62c08a;--c4:#c09aec;--c5:#d9b440;--c6:#f082a8}}
.chart text{font:12px system-ui,sans-serif;fill:var(--dim)}.chart .t{font-size:15px;font-weight:600;fill:var(--ink)}
.chart .v{font-size:11px;paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}.chart .paper{fill:var(--paper)}.chart .axis{stroke:var(--dim);fill:none}
.chart .grid{stroke:var(--line);fill:none}.chart .err{stroke:var(--ink);stroke-width:1.2;fill:none}
]] .. (function()
    local rules = {}
    for i = 1, 6 do rules[i] = (".chart .f%d{fill:var(--c%d)}.chart .s%d{stroke:var(--c%d);stroke-width:2;fill:none}"):format(i, i, i, i) end
    return table.concat(rules)
end)()

--- The number of the colour of series `index`; after the last one it starts again.
function svg.colour(index) return (index - 1) % 6 + 1 end

--- Text that is safe between tags and in attributes. What neither XML nor UTF-8 allows becomes a question mark.
function svg.escape(text)
    text = tostring(text):gsub("[\0-\8\11\12\14-\31\127]", "?")
    if not utf8.len(text) then text = text:gsub("[\128-\255]", "?") end
    return (text:gsub("[&<>\"']", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }))
end

--- How wide a text is in pixels at 12 px, somewhat too wide rather than too narrow.
function svg.text_width(text) return 7 * (utf8.len(tostring(text)) or #tostring(text)) end

local drawing = {}
drawing.__index = drawing

function svg.drawing(width, height, title)
    local new = setmetatable({ width = math.ceil(width), height = math.ceil(height), title = title }, drawing)
    new:text(12, 24, title, "t")
    return new
end

--- `anchor` is start (the default), middle or end; `hint` is what a pointer over the text shows.
function drawing:text(x, y, text, class, anchor)
    self[#self + 1] = ('<text%s x="%.1f" y="%.1f"%s>%s</text>'):format(
        class and (' class="%s"'):format(class) or "", x, y, anchor and (' text-anchor="%s"'):format(anchor) or "", svg.escape(text))
end

function drawing:rect(x, y, width, height, class)
    self[#self + 1] = ('<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>'):format(class, x, y, width, height)
end

--- `commands` are pairs such as "M%.1f %.1f", with their numbers after them.
function drawing:path(class, commands, ...)
    self[#self + 1] = ('<path class="%s" d="%s"/>'):format(class, commands:format(...))
end

function drawing:dot(x, y, class, hint)
    self[#self + 1] = ('<circle class="%s" cx="%.1f" cy="%.1f" r="4"><title>%s</title></circle>'):format(class, x, y, svg.escape(hint))
end

--- The element for a page that has `svg.style`; for a file, with its name space and a style of its own.
function drawing:markup(standalone)
    local open = ('<svg class="chart"%s width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">\n'):format(
        standalone and ' xmlns="http://www.w3.org/2000/svg"' or "", self.width, self.height, self.width, self.height,
        svg.escape(self.title))
    local paper = '<rect class="paper" width="100%" height="100%"/>\n'
    return open .. (standalone and "<style>" .. svg.style .. "</style>\n" or "") .. paper .. table.concat(self, "\n") .. "\n</svg>"
end

function drawing:save(path) core.write_text(path, self:markup(true) .. "\n") end

--- About `count` round numbers in low…high, no closer together than `least`.
function svg.ticks(low, high, count, least)
    local rough = math.max((high - low) / count, least or 0)
    local power = 10.0 ^ math.floor(math.log(rough, 10))
    local step = power * 10
    for _, factor in ipairs { 1, 2, 5 } do
        if power * factor >= rough then
            step = power * factor
            break
        end
    end
    local ticks = {}
    for i = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) do ticks[#ticks + 1] = i * step end
    return ticks
end

return svg
