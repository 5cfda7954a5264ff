import Basics
import CLua
import CLuaBridge

extension LuaState {
    /// The environment of chunks that the host loads, in front of the global table; `nil` where the rules are Lua's own.
    func makeEnvironment() throws -> LuaReference? {
        if options.globals == .lenient { return nil }
        return try balanced {
            try reserve(1)
            try pushFunction("globals") { call in
                let name = try call.text(2)
                switch try call.text(1) {
                case "unknown": throw GlobalFailure.unknown(name: name, nearest: try call.nearestGlobal(to: name))
                case "new": throw GlobalFailure.refused(name: name)
                default: throw GlobalFailure.insideFunction(name: name)
                }
            }
            try check(moon_push_environment(current, options.globals == .fixed))
            defer { pop() }
            return try reference(at: -1)
        }
    }

    /// Gives the chunk on top its environment: the first upvalue of a chunk is `_ENV`.
    func setEnvironment() throws {
        guard let environment else { return }
        try environment.push(on: self)
        if lua_setupvalue(current, -2, 1) == nil { pop() }
    }
}

extension LuaCall {
    fileprivate func nearestGlobal(to name: String) throws -> String? {
        nearestName(to: name, among: try state.globals.fields().map(\.name))
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
            "unknown global '\(name)'" + didYouMean(nearest)
        case .insideFunction(let name):
            "new global '\(name)' inside a function: declare it 'local', or set it outside of functions first"
        case .refused(let name): "new global '\(name)': declare it 'local'"
        }
    }
}
