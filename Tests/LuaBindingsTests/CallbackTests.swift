import Basics
import LuaBindings
import LuaRuntime
import Tensors
import Testing

/// Functions of the toolkit that call functions of a script, which may raise, yield, close or change what is in use, call back
/// and more: `Tests/Fixtures/callbacks.lua` has both tables.
@Suite(.serialized) struct CallbackTests {
    private static let script =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        + "/Fixtures/callbacks.lua"

    private func cases(isSandboxed: Bool) throws -> (state: LuaState, cases: LuaTable) {
        let state = try LuaState(
            LuaOptions(
                isSandboxed: isSandboxed, memoryLimit: 64 << 20, context: ComputeContext(threadCount: 1, memoryLimit: 64 << 20)))
        try Toolkit.install(in: state)
        let text = String(decoding: try AtomicFile.read(Self.script), as: UTF8.self)
        return (state, try #require(try state.load(text, name: "callbacks.lua").call(with: []).first?.table))
    }

    private func list(_ cases: LuaTable, _ name: String) throws -> [LuaTable] {
        try cases.get(name).table?.array().compactMap(\.table) ?? []
    }

    @Test(arguments: [false, true]) func noMisdeedOfAFunctionDoesHarm(isSandboxed: Bool) throws {
        let (state, cases) = try cases(isSandboxed: isSandboxed)
        defer { state.close() }
        let (entries, misdeeds) = (try list(cases, "entries"), try list(cases, "misdeeds"))
        let attempt = try #require(try cases.get("try").function)
        #expect(entries.count > 25 && misdeeds.count > 20)
        for entry in entries {
            let name = try entry.get("name").string ?? ""
            for misdeed in misdeeds {
                let deed = try misdeed.get("name").string ?? ""
                do {
                    let fault = try attempt(entry, misdeed).first?.string
                    #expect(fault == nil, "\(name), whose function \(deed)")
                } catch {
                    Issue.record("\(name), whose function \(deed): \(error)")
                }
            }
        }
    }

    @Test func aYieldWorksOrIsAnError() throws {
        let (state, cases) = try cases(isSandboxed: false)
        defer { state.close() }
        let attempt = try #require(try cases.get("try_to_yield").function)
        for entry in try list(cases, "entries") {
            let (name, fault) = (try entry.get("name").string ?? "", try attempt(entry).first?.string)
            #expect(fault == nil, "\(name)")
        }
    }

    /// A limit that is met inside a function ends the script, whoever called the function, and the next one has all of it.
    @Test func aLimitInsideAFunctionEndsTheScript() throws {
        let context = ComputeContext(threadCount: 1)
        let state = try LuaState(LuaOptions(isSandboxed: true, instructionLimit: 20_000_000, context: context))
        defer { state.close() }
        try Toolkit.install(in: state)
        let text = String(decoding: try AtomicFile.read(Self.script), as: UTF8.self)
        let cases = try #require(try state.load(text, name: "callbacks.lua").call(with: []).first?.table)
        // `pcall` catches the error, and the next instruction raises it again.
        let code = """
            return function(this, f)
                local ok = pcall(this.call, this.make(), f or function() while true do end end)
                for i = 1, 10 do ok = ok and i end
                return ok ~= false
            end
            """
        let endless = try #require(try state.load(code, name: "endless").call(with: []).first?.function)
        for entry in try list(cases, "entries") {
            let name = try entry.get("name").string ?? ""
            let failure = #expect(throws: LuaFailure.self, "\(name)") { try endless(entry) }
            #expect(failure?.code == "lua.instructionLimit", "\(name)")
            let results = try endless(entry, try entry.get("good"))
            #expect(results.first?.boolean == true, "\(name)")
        }
    }
}
