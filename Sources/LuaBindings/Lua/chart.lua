-- Charts as SVG that reads on light and dark backgrounds: every colour has contrast with both.
local core = require "moonrail.core"

local chart = {}

local function escape(text)
    return (tostring(text):gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

local style = [[<style>text{font:12px system-ui,sans-serif;fill:#767676}.t{font-size:15px;font-weight:600}.v{font-size:11px}
.up{fill:#2f81c9}.down{fill:#c9602f}.axis{stroke:#888}.err{stroke:#888;stroke-width:1.2}</style>]]

--- Horizontal bars, one line a value, so that labels never collide however many there are.
--- `spec`: title, labels, values, errors (half-widths, optional), format (value -> text, optional).
function chart.bars(path, spec)
    local count = #spec.values
    local low, high, longest = 0, 0, 0
    for i, value in ipairs(spec.values) do
        local err = spec.errors and spec.errors[i] or 0
        low, high = math.min(low, value - err), math.max(high, value + err)
        longest = math.max(longest, utf8.len(tostring(spec.labels[i])) or 0)
    end
    if high == low then high = low + 1 end
    local left, plot, right, row, top = 16 + 7 * longest, 420, 70, 18, 40
    local width, height = left + plot + right, top + row * count + 16
    local function x(value) return left + plot * (value - low) / (high - low) end
    local out = {
        ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">'):format(
            width, height, width, height),
        style, ('<text class="t" x="12" y="24">%s</text>'):format(escape(spec.title)),
    }
    local format = spec.format or function(v) return ("%.4g"):format(v) end
    for i, value in ipairs(spec.values) do
        local y = top + row * (i - 1)
        out[#out + 1] = ('<text x="%.1f" y="%d" text-anchor="end">%s</text>'):format(left - 8, y + 13, escape(spec.labels[i]))
        out[#out + 1] = ('<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d" rx="2"/>'):format(
            value < 0 and "down" or "up", math.min(x(0), x(value)), y + 3, math.abs(x(value) - x(0)), row - 6)
        local err = spec.errors and spec.errors[i]
        if err then
            out[#out + 1] = ('<path class="err" d="M%.1f %dH%.1fM%.1f %dv6M%.1f %dv6"/>'):format(
                x(value - err), y + 9, x(value + err), x(value - err), y + 6, x(value + err), y + 6)
        end
        out[#out + 1] = ('<text class="v" x="%.1f" y="%d">%s</text>'):format(
            x(math.max(value + (err or 0), 0)) + 6, y + 13, escape(format(value)))
    end
    out[#out + 1] = ('<path class="axis" d="M%.1f %dV%d"/></svg>'):format(x(0), top, top + row * count)
    core.write_text(path, table.concat(out, "\n") .. "\n")
end

return chart
