import LuaBindings
import LuaRuntime
import Testing

/// The description of the API against what is registered, both ways.
@Suite(.serialized) struct HelpTests {
    @Test func everyFunctionIsDescribedAndEveryDescriptionIsOfAFunction() throws {
        try run("""
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
                if class ~= "Tensor" then
                    for name in pairs(methods) do registered[class .. ":" .. name] = true end
                end
            end
            for name in pairs(require "moonrail.rows".methods) do registered["Rows:" .. name] = true end
            for name in pairs(require "moonrail.report".methods) do registered["Report:" .. name] = true end
            described["Model:__call"] = nil
            for name in pairs(described) do assert(registered[name], name .. " is described, but is not there") end
            for name in pairs(registered) do assert(described[name], name .. " is there, but not described") end
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
    }
}
