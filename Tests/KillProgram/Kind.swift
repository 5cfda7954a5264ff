import Basics
import LuaBindings
import LuaRuntime

/// A kind of file as kinds.lua describes it.
struct Kind {
    let name: String
    /// Versions that `save` knows, 1 to this.
    let versionCount: Int
    /// The longest time that a process saves before it is killed.
    let milliseconds: Int
    /// Whether each process writes a file of its own.
    let isOfOneProcess: Bool
    /// Its functions live as long as this.
    private let state: LuaState
    private let saving: LuaFunction
    private let restart: LuaFunction?
    private let acceptance: LuaFunction?

    private init(_ table: LuaTable, of state: LuaState) throws {
        self.state = state
        guard let name = try table.rawGet("name").string, let versions = try table.rawGet("versions").integer,
            let save = try table.rawGet("save").function
        else { throw ScriptFailure(code: "kills.kind", "a kind in kinds.lua has no name, versions or save") }
        (self.name, versionCount, saving) = (name, versions, save)
        milliseconds = try table.rawGet("milliseconds").integer ?? 12
        isOfOneProcess = try table.rawGet("grows").boolean ?? false
        restart = try table.rawGet("restart").function
        acceptance = try table.rawGet("accepts").function
    }

    /// All kinds. One thread makes them, and no other is started, because only one goes on in a copy of this process.
    static func all(path: String) throws -> [Kind] {
        let state = try LuaState(LuaOptions(context: ComputeContext(threadCount: 1), interruptInterval: nil))
        try Toolkit.install(in: state)
        let text = String(decoding: try AtomicFile.read(path), as: UTF8.self)
        let found = try state.load(text, name: "kinds.lua").call(with: []).first?.table?.array() ?? []
        return try found.map { value in
            guard let table = value.table else { throw ScriptFailure(code: "kills.kind", "kinds.lua gives no tables") }
            return try Kind(table, of: state)
        }
    }

    /// Whether versions follow each other in a file that begins anew.
    var beginsAnew: Bool { restart != nil }

    /// Whether every content is known beforehand.
    var isRepeatable: Bool { acceptance == nil }

    /// Writes a version into the current directory; `number` tells processes apart.
    func save(_ version: Int, number: Int) throws {
        if version == 1 { try restart?() }
        try saving(version, number)
    }

    /// Whether a file of a kind that is not repeatable is whole.
    func accepts(_ content: [UInt8]) throws -> Bool {
        try acceptance?(LuaBytes(content)).first?.boolean ?? false
    }
}
