// What scripts do with documents that they did not write. Each chunk gives a function of a path.
extension FuzzedReader {
    /// One document in every place that a plan, or what it is made from, may come from.
    static let planScript = """
        local mr = require "moonrail"
        local nn = mr.nn
        local model = nn.sequential {
            name = "small", seed = 1, image = { 1, 6, 6 }, nn.conv { channels = 4, kernel = 3, padding = 1, name = "a" },
            nn.batch_norm { name = "bn" }, nn.relu(), nn.conv { channels = 6, kernel = 3, padding = 1, name = "b" }, nn.relu(),
            nn.global_avg_pool(), nn.flatten(), nn.linear { features = 2, name = "fc" },
        }
        local half = { params = 0.5 }
        local ways = {
            function(document) tostring(model:compress(document)) end,
            function(document) tostring(mr.plan(model, { budget = half, scores = document })) end,
            function(document) tostring(mr.plan(model, { budget = half, curves = document })) end,
            function(document) model:compress(mr.plan(model, document)) end,
        }
        return function(path)
            local accepted, failure
            for _, way in ipairs(ways) do
                local document = mr.read_json(path)
                local ok, message = pcall(way, document)
                if ok then
                    accepted = true
                else
                    if type(message) == "string" and message ~= "not enough memory" then error(message, 0) end
                    failure = message
                end
            end
            if not accepted then error(failure, 0) end
        end
        """

    /// A sweep that shows what the file holds, finishes what is left, and writes it.
    static let sweepScript = """
        local mr = require "moonrail"
        return function(path)
            local points, done = mr.sweep { path, keep = { 0.5, 1 }, policy = { "lwiq", "uniform" } }
            tostring(done)
            for point in points do point:record { accuracy = point.keep } end
            tostring(done)
            done:csv()
            if #done ~= 4 then error("a sweep of 4 points ends with " .. #done) end
            for point in mr.sweep { path, keep = { 0.5, 1 }, policy = { "lwiq", "uniform" } } do
                error("a finished sweep has the point " .. point.keep)
            end
        end
        """

    static let csvScript = """
        local mr = require "moonrail"
        return function(path)
            local rows = mr.read_csv(path)
            tostring(rows)
            local text = rows:csv()
            mr.write_text(path, text)
            if mr.read_csv(path):csv() ~= text then error("rows change: " .. text) end
        end
        """
}
