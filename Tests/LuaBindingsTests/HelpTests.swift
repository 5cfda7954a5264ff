import LuaBindings
import LuaRuntime
import Testing

/// The description of the API against what is registered, both ways.
@Suite(.serialized) struct HelpTests {
    @Test func everyFunctionIsDescribedAndEveryDescriptionIsOfAFunction() throws {
        try run(
            """
            local described, registered = {}, {}
            for _, entry in ipairs(require "moonrail.help".entries) do
                described[entry.name] = true
                assert(#entry.text > 0, entry.name .. " has no text")
            end
            for name, value in pairs(mr) do
                if type(value) == "function" then registered["mr." .. name] = true end
                if type(value) == "table" then
                    for inner, f in pairs(value) do
                        if type(f) == "function" then registered["mr." .. name .. "." .. inner] = true end
                    end
                end
            end
            for class, methods in pairs(require "moonrail.core".methods) do
                for name in pairs(methods) do registered[class .. ":" .. name] = true end
            end
            for name in pairs(require "moonrail.rows".methods) do registered["Rows:" .. name] = true end
            for name in pairs(require "moonrail.iter".methods) do registered["Iterator:" .. name] = true end
            for name in pairs(require "moonrail.report".methods) do registered["Report:" .. name] = true end
            described["Model:__call"] = nil
            for name in pairs(described) do assert(registered[name], name .. " is described, but is not there") end
            for name in pairs(registered) do assert(described[name], name .. " is there, but not described") end
            """)
    }

    @Test func everyFieldIsDescribedAndEveryDescriptionIsOfAField() throws {
        try run(
            """
            local fields = require "moonrail.help".fields
            for class, getters in pairs(require "moonrail.core".getters) do
                local described = {}
                for _, field in ipairs(fields[class] or {}) do
                    local name = field:match "^([%w_]+)"
                    described[name] = true
                    assert(getters[name], class .. "." .. name .. " is described, but is not there")
                end
                for name in pairs(getters) do assert(described[name], class .. "." .. name .. " is there, but not described") end
            end
            """)
    }

    @Test func helpFindsNamesAndOptions() throws {
        let state = try LuaState()
        try Toolkit.install(in: state)
        #expect(Toolkit.help(for: "mr.plan", in: state)?.contains("Chooses ranks") == true)
        #expect(Toolkit.help(for: "m:fit", in: state)?.contains("Trains the model in place") == true)
        #expect(Toolkit.help(for: "mr.nothing_like_it", in: state) == nil)
        let keys = Toolkit.optionKeys(of: "mr.plan", in: state)
        #expect(keys.contains("policy") && keys.contains("budget") && !keys.contains("macs"))
        #expect(Toolkit.optionKeys(of: "mr.plan", inner: "budget", in: state) == ["params", "macs", "bytes", "activation_bytes", "latency", "latency_ms"])
        #expect(Toolkit.optionKeys(of: "mr.write_safetensors", in: state) == ["metadata"])
        #expect(Toolkit.optionKeys(of: "mr.plan", inner: "policy", in: state) == [])
        #expect(Toolkit.optionKeys(of: "mr.plan", inner: "nothing", in: state) == [])
    }

    @Test func helpKnowsModulesClassesAndTopics() throws {
        let state = try LuaState()
        try Toolkit.install(in: state)
        let data = try #require(Toolkit.help(for: "mr.data", in: state))
        #expect(data.contains("mr.data.fashion_mnist") && !data.contains("mr.load"))
        let model = try #require(Toolkit.help(for: "Model", in: state))
        #expect(model.contains("Model:fit") && model.contains(".input_shape"))
        #expect(Toolkit.help(for: "policies", in: state)?.contains("mr.policies") == true)
        let overview = try #require(Toolkit.help(for: "", in: state))
        #expect(overview.contains("sweep") && overview.split(separator: "\n").allSatisfy { $0.count <= 120 })
        // Names come before texts that only mention the word.
        let found = Toolkit.search(for: "Re-Estimate", in: state)
        #expect(found.contains { $0.contains("Model:reestimate") } && found.allSatisfy { $0.count <= 80 })
        #expect(Toolkit.search(for: "sweep", in: state).first?.contains("?sweep") == true)
        #expect(Toolkit.search(for: "xyzzy", in: state).isEmpty)
    }

    /// Examples of the topics, as they would be typed.
    @Test func examplesOfTopicsRun() throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let texts = try run(
            """
            for _, topic in ipairs(require "moonrail.topics") do
                local lines = {}
                for line in (topic.text .. "\\n"):gmatch "(.-)\\n" do
                    if line:find "^    " then lines[#lines + 1] = line:sub(5) end
                    assert(utf8.len(line) <= 130, topic.name .. ": " .. line)
                end
                local code = table.concat(lines, "\\n"):gsub("scripts/models", "\(root)/scripts/models")
                assert(#lines > 3, topic.name .. " has no example")
                local environment = setmetatable({ mr = mr }, { __index = _G })
                assert(load(code, "?" .. topic.name, "t", environment))()
                print(topic.name)
            end
            """)
        #expect(texts.contains("start\n") && texts.contains("networks\n"))
    }
}
