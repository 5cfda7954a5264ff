import LuaRuntime
import Testing

/// The library functions that count their steps: they do what Lua's own do, and end where a script is to stop.
@Suite struct LibraryStepTests {
    /// Draws patterns, subjects and tables, and writes down what the library makes of them. A state that nothing can stop keeps
    /// Lua's own functions.
    private static let draws = """
        local seed = ...
        math.randomseed(seed)
        local random, lines = math.random, {}
        local items = {
            "a", "b", "c", "(", ")", "%", "[", "]", "^", "$", "*", "+", "-", ".", "?", "%a", "%D", "%s", "%W", "%b()", "%f[%w]", "%1",
            "%2", "()", "[a-c]", "[^a]", "[%a_]", "[]]", "\\0", "%z", "1", " ", "%x", "[%", "%g", "\\xFF",
        }
        local letters = { "a", "b", "c", "(", ")", "1", " ", "\\0", "ab", "-", "\\xFF", "" }
        local function draw(count, set)
            local text = ""
            for _ = 1, random(0, count) do text = text .. set[random(#set)] end
            return text
        end
        local function note(...)
            local found = table.pack(pcall(...))
            for i = 1, found.n do found[i] = tostring(found[i]) end
            lines[#lines + 1] = table.concat(found, "|")
        end
        local function all(s, p, start)
            local found = ""
            for a, b in s:gmatch(p, start) do found = found .. tostring(a) .. "," .. tostring(b) .. ";" end
            return found
        end
        local replacements = { "x%1", "%0%0", "%%", "%2", "y", "%", { a = "A", b = false, c = 3 }, function(a, ...) return select("#", ...) > 0 and a or nil end }
        for _ = 1, 4000 do
            local s, p = draw(12, letters), draw(7, items)
            note(string.find, s, p, random(-4, 8))
            note(string.find, s, p, random(-4, 8), true)
            note(string.match, s, p)
            note(string.gsub, s, p, replacements[random(#replacements)], random(0, 5))
            note(all, s, p, random(-3, 3))
        end
        for _ = 1, 200 do
            local t = {}
            for i = 1, random(0, 250) do t[i] = random(60) end
            table.sort(t)
            note(table.concat, t, ",")
            table.sort(t, function(a, b) return a > b end)
            note(table.concat, t, "", random(-1, 3), random(0, 9))
            note(table.insert, t, random(-1, 6), "new")
            note(table.remove, t, random(-1, 6))
            note(table.concat, table.move(t, random(1, 4), random(0, 9), random(-2, 7), random(2) == 1 and {} or nil), " ")
        end
        note(table.sort, { 3, 1, 2, 5, 4, 9, 7, 8 }, function() return true end)
        note(table.sort, { 1, "a", {} })
        note(table.concat, { 1, {}, 3 })
        note(("x"):rep(3, ", "))
        note(string.rep, "", 1 << 40)
        return table.concat(lines, "\\n")
        """

    @Test(arguments: 1...6) func doWhatLuasDo(seed: Int) throws {
        let own = try LuaState().run(Self.draws, arguments: [seed]).first?.string
        let luas = try LuaState(LuaOptions(interruptInterval: nil)).run(
            Self.draws.replacing("string.rep, \"\", 1 << 40", with: "string.rep, \"\", 4"), arguments: [seed]
        )
        .first?.string
        let (found, expected) = (own?.split(separator: "\n") ?? [], luas?.split(separator: "\n") ?? [])
        #expect(found.count > 20_000 && found.count == expected.count)
        for (mine, theirs) in zip(found, expected) where mine != theirs { Issue.record("\(mine) in the place of \(theirs)") }
    }

    @Test(arguments: [
        "return (('a'):rep(60)):find(('a-'):rep(24) .. 'b')", "return (('a'):rep(60)):match(('a*'):rep(24) .. 'b')",
        "return (('a'):rep(60)):gsub(('a-'):rep(24) .. 'b', '')", "for _ in (('a'):rep(60)):gmatch(('a-'):rep(24) .. 'b') do end",
        "return (('a'):rep(2e6)):find('.-b')", "return (('('):rep(3e5)):find('%b()')",
        "return table.move({}, 1, 1 << 60, 2)", "local t = setmetatable({}, { __len = function() return 1 << 60 end }) table.insert(t, 1, 1)",
        "local t = setmetatable({}, { __len = function() return 1 << 60 end }) table.remove(t, 1)",
        "local t = setmetatable({}, { __len = function() return 1 << 60 end, __index = rawlen }) table.concat(t, '')",
        "local t = setmetatable({}, { __len = function() return (1 << 31) - 2 end, __index = rawlen, __newindex = rawequal }) table.sort(t)",
        "load(function() return '0' end)", "load(collectgarbage)",
    ])
    func countTowardsTheLimit(text: String) throws {
        let state = try LuaState(LuaOptions(isSandboxed: true, memoryLimit: 256 << 20, instructionLimit: 3_000_000))
        // Neither does `pcall` keep it.
        for script in [text, "pcall(load, '') pcall(function() \(text) end) while true do end"] {
            let code = try state.failure(script).code
            #expect(code == "lua.instructionLimit" || text.contains("rawlen") && code == "lua.memory", "\(script)")
        }
    }
}
