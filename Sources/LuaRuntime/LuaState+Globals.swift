import Basics
import CLua
import CLuaBridge

extension LuaState {
    /// Puts the rules of `options.globals` on the global table.
    func applyGlobalRules() throws {
        if options.globals == .lenient { return }
        let rules = try table()
        try rules.rawSet("__metatable", false)
        let declared = DeclaredNames()
        try rules.rawSet("__index", try function("globals") { call in
            if let name = try call.value(2).string, declared.names.contains(name) { return try call.push(LuaValue.nil) }
            throw GlobalFailure.unknown(name: try call.text(2), nearest: try call.nearestField(of: call.table(1, "globals")))
        })
        let isFixed = options.globals == .fixed
        try rules.rawSet("__newindex", try function("globals") { call in
            let name = try call.text(2)
            if isFixed { throw GlobalFailure.refused(name: name) }
            guard declared.names.contains(name) || !call.isCalledInsideFunction else {
                throw GlobalFailure.insideFunction(name: name)
            }
            declared.names.insert(name)
            try call.table(1, "globals").rawSet(try call.value(2), try call.value(3))
        })
        try globals.setMetatable(rules)
    }
}

/// The globals that were written, even as nil.
private final class DeclaredNames {
    var names: Set<String> = []
}

extension LuaCall {
    /// Whether the caller is a function written in Lua: neither a chunk's own code nor Swift.
    fileprivate var isCalledInsideFunction: Bool {
        var caller = lua_Debug()
        guard lua_getstack(state.current, 1, &caller) != 0, lua_getinfo(state.current, "S", &caller) != 0 else { return false }
        return caller.what.map { String(cString: $0) } == "Lua"
    }

    /// The name in `table` that is nearest to the key in argument 2.
    fileprivate func nearestField(of table: LuaTable) throws -> String? {
        guard let key = try value(2).string else { return nil }
        return nearestName(to: key, among: try table.fields().map(\.name))
    }
}

/// A script used a global that nothing declared.
enum GlobalFailure: Failure {
    case unknown(name: String, nearest: String?)
    case refused(name: String)
    case insideFunction(name: String)

    var code: String {
        switch self {
        case .unknown: "lua.unknownGlobal"
        case .refused, .insideFunction: "lua.newGlobal"
        }
    }

    var description: String {
        switch self {
        case .unknown(let name, let nearest):
            "unknown global '\(name)'" + (nearest.map { " (did you mean '\($0)'?)" } ?? "")
        case .insideFunction(let name):
            "new global '\(name)' inside a function: declare it 'local', or set it outside of functions first"
        case .refused(let name): "new global '\(name)': declare it 'local'"
        }
    }
}
