import Basics
import Console
import LuaRuntime

/// What `LUA_INIT_5_4`, or else `LUA_INIT`, asks to be run before anything else, as `lua` does: a chunk, or `@` and the
/// name of a file.
enum InitialCode {
    static func run(in state: LuaState) throws {
        for name in ["LUA_INIT_5_4", "LUA_INIT"] {
            guard let text = Terminal.environment(name) else { continue }
            // Through Lua's own functions, so that what it sets are ordinary globals.
            let (loader, arguments) = text.hasPrefix("@") ? ("loadfile", [String(text.dropFirst())]) : ("load", [text, "=" + name])
            guard let load = try state.globals.rawGet(loader).function else { return }
            let loaded = try load.call(with: arguments)
            guard let chunk = loaded.first?.function else {
                throw ScriptFailure(code: "lua.syntax", loaded.last?.string ?? "\(name) cannot be loaded")
            }
            try chunk()
            return
        }
    }
}
