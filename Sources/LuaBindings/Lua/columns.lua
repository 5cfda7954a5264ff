-- The columns of scores, plans and models, in which tables on a terminal and on a page agree.
local rows = require "moonrail.rows"

-- What only a layer with ranks has.
local function ranked(form)
    return function(value, row) return row.ranks and form(value) or "" end
end

return {
    layer = { "layer", "layer" },
    accuracy = { "accuracy", "accuracy", rows.percent },
    -- Of scores
    parent = { "parent", "after" },
    proxy = { "accuracy", "proxy accuracy", rows.percent },
    deviation = { "stderr", "± 1 se", rows.percent },
    gain = { "gain", "gain", rows.signed(2) },
    significance = { "significance", "significance", rows.fixed(3) },
    -- Of plans
    format = { "format", "format", ranked(rows.text) },
    ranks = { "ranks", "ranks" },
    bounds = { "max_ranks", "of" },
    params = { "params", "parameters", rows.grouped },
    dense_params = { "dense_params", "dense", rows.grouped },
    macs = { "macs", "MACs", rows.grouped },
    dense_macs = { "dense_macs", "dense MACs", rows.grouped },
    error = { "error", "error", ranked(rows.percent) },
    reason = { "reason", "why" },
    -- Of models
    name = { "name", "model" },
    policy = { "policy", "policy" },
    bytes = { "bytes", "bytes", rows.grouped },
    raw = { "accuracy_raw", "before tuning", rows.percent },
    latency = { "latency_ms", "ms, batch 1", rows.fixed(3) },
}
