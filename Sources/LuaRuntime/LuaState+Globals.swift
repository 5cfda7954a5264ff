import Basics
import CLua
import CLuaBridge

extension LuaState {
    /// Puts the rules of `options.globals` on the global table.
    func applyGlobalRules() throws {
        if options.globals == .lenient { return }
        let rules = try table()
        try rules.rawSet("__metatable", false)
        try rules.rawSet("__index", try function("globals") { call in
            throw GlobalFailure.unknown(name: try call.text(2), nearest: try call.nearestField(of: call.table(1, "globals")))
        })
        if options.globals == .fixed {
            try rules.rawSet("__newindex", try function("globals") { call in
                throw GlobalFailure.refused(name: try call.text(2))
            })
        }
        try globals.setMetatable(rules)
    }
}

extension LuaCall {
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

    var code: String {
        switch self {
        case .unknown: "lua.unknownGlobal"
        case .refused: "lua.newGlobal"
        }
    }

    var description: String {
        switch self {
        case .unknown(let name, let nearest):
            "unknown global '\(name)'" + (nearest.map { " (did you mean '\($0)'?)" } ?? "")
        case .refused(let name): "new global '\(name)': declare it 'local'"
        }
    }
}
