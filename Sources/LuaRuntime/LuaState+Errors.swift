import Basics
import CLua
import CLuaBridge

/// A Swift error on its way through Lua: what a script that catches it holds.
final class ErrorValue: LuaObjectConvertible {
    let error: any Error
    let code: String
    let message: String
    let path: [String]
    let traceback: String

    init(_ error: any Error, traceback: String) {
        self.error = error
        self.traceback = traceback
        code = (error as? any Failure)?.code ?? "unknown"
        message = String(describing: error)
        path = (error as? LocatedFailure)?.path ?? (error as? LuaFailure)?.path ?? []
    }

    var failure: LuaFailure {
        LuaFailure(code: code, message: message, path: path, traceback: traceback, underlying: error)
    }

    /// What libraries call on errors because those of Lua are strings.
    private static let stringMethods = [
        "byte", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper",
    ]

    /// The class that scripts see: `err.code`, `err.message`, `err.path`, `err.traceback`, and besides what a string can.
    static var luaClass: LuaClass<ErrorValue> {
        LuaClass("Error") { members in
            members.byteCount { error in
                error.path.reduce(error.message.utf8.count + error.traceback.utf8.count) { $0 + $1.utf8.count + MemoryLayout<String>.size }
            }
            members.property("code") { $0.code }
            members.property("message") { $0.message }
            members.property("path") { $0.path.isEmpty ? nil : $0.path }
            members.property("traceback") { $0.traceback }
            members.metamethod(.tostring) { call in
                try call.push(try call.object(1, "error", as: ErrorValue.self).message)
            }
            members.metamethod(.concat) { call in
                try call.push(try call.text(1) + call.text(2))
            }
            members.length { $0.message.foreignBytes.count }
            for name in stringMethods {
                members.method(name) { call, error in
                    guard case .function(let method) = try call.state.stringLibrary.rawGet(name) else {
                        throw LuaFailure(code: "lua.noMethod", message: "the library 'string' has no function '\(name)'")
                    }
                    for result in try method.call(with: [error.message] + call.values()) { try call.push(result) }
                }
            }
        }
    }
}

extension LuaState {
    /// The library whose functions are the methods of strings.
    fileprivate var stringLibrary: LuaTable {
        get throws {
            guard case .table(let library) = try globals.rawGet("string") else {
                throw LuaFailure(code: "lua.noMethod", message: "the global 'string' is no table")
            }
            return library
        }
    }

    /// Takes the error value off the stack and gives what to throw.
    func takeFailure(status: Int32) -> LuaFailure {
        let L = current
        let traceback = takeTraceback()
        defer { lua_settop(L, -2) }
        if let error = object(at: -1) as? ErrorValue {
            return LuaFailure(
                code: error.code, message: error.message, path: error.path, traceback: error.traceback,
                underlying: error.error, value: raisedValue())
        }
        let message = errorText()
        let code =
            switch status {
            case LUA_ERRSYNTAX: "lua.syntax"
            case LUA_ERRMEM: "lua.memory"
            case LUA_ERRERR: "lua.errorInHandler"
            default: errorField("code") ?? "lua.runtime"
            }
        return LuaFailure(
            code: code, message: message, traceback: traceback,
            isIncomplete: status == LUA_ERRSYNTAX && message.hasSuffix("<eof>"), value: raisedValue())
    }

    /// The error value on top, which does not count: where there is no room for it, that would be the next error.
    private func raisedValue() -> LuaValue? {
        let depth = functionDepth
        functionDepth = 0
        defer { functionDepth = depth }
        return try? value(at: -1)
    }

    /// Pushes the Lua value of a thrown error. Without the memory for it, Lua's own memory error is pushed instead.
    func pushFailure(_ error: any Error) {
        let L = current
        let top = lua_gettop(L)
        // liblua keeps extra slots for errors, but a script may have used up the stack itself.
        guard lua_checkstack(L, 4 + MOON_STACK_ROOM) != 0 else {
            lua_settop(L, max(0, top - 1))
            return lua_pushnil(L)
        }
        do {
            if let failure = error as? LuaFailure, let value = failure.value { return try rethrow(failure, value) }
            guard moon_push_traceback(L) == LUA_OK else { return }
            let traceback = text(at: -1) ?? ""
            pop()
            try push(object: ErrorValue(error, traceback: traceback))
        } catch {
            lua_settop(L, top)
            if let value = (error as? LuaFailure)?.value, (try? value.push(to: self)) != nil { return }
            lua_settop(L, top)
            lua_pushnil(L)
        }
    }

    /// Pushes the value that was raised first, with the traceback of its origin.
    private func rethrow(_ failure: LuaFailure, _ value: LuaValue) throws {
        try value.push(to: self)
        if case .object = value { return }
        guard !failure.traceback.isEmpty, (try? failure.traceback.push(to: self)) != nil else { return }
        _ = moon_keep_traceback(current, host)
    }

    private func takeTraceback() -> String {
        guard lua_checkstack(current, MOON_STACK_ROOM) != 0 else { return "" }
        moon_take_traceback(current)
        defer { pop() }
        return text(at: -1) ?? ""
    }

    /// The sentence of the error value on top.
    private func errorText() -> String {
        if let text = text(at: -1) { return text }
        if let text = errorField("message") { return text }
        guard lua_checkstack(current, 2 + MOON_STACK_ROOM) != 0 else { return "error" }
        if lua_type(current, -1) == LUA_TNIL { return "error object is nil" }
        lua_pushvalue(current, -1)
        let status = moon_to_text(current)
        defer { pop() }
        takeTraceback(after: status)
        return text(at: -1) ?? "error object is a value that cannot be shown"
    }

    /// Forgets the traceback of an error met while showing another.
    private func takeTraceback(after status: Int32) {
        guard status != LUA_OK else { return }
        moon_take_traceback(current)
        pop()
    }

    /// A text field of an error table, without metamethods.
    private func errorField(_ name: String) -> String? {
        guard lua_type(current, -1) == LUA_TTABLE, (try? name.push(to: self)) != nil else { return nil }
        lua_rawget(current, -2)
        defer { pop() }
        return text(at: -1)
    }
}
