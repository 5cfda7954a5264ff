import Basics
import CLua
import CLuaBridge

extension LuaState {
    /// Compiles a chunk of Lua text without running it.
    ///
    /// - Parameter name: what messages call the chunk: `recipe.lua` gives `recipe.lua:3: …`; `=stdin`, which is no
    ///   file, gives `stdin:3: …`.
    /// - Throws: `LuaFailure` with code `lua.syntax`; `isIncomplete` where more text could complete the chunk.
    public func load(_ text: String, name: String) throws -> LuaFunction {
        try balanced {
            try reserve(2)
            try check(
                text.withForeignBytes { bytes in
                    let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
                    return withChunkName(name) { luaL_loadbufferx(current, start, bytes.count, $0, "t") }
                })
            try setEnvironment()
            defer { pop() }
            return LuaFunction(reference: try reference(at: -1))
        }
    }

    /// Compiles the script in a file, or the one on standard input where `path` is `nil`.
    ///
    /// Its bytes are Lua's, whatever they are. A byte-order mark and a first line that begins with `#` are passed over.
    /// What `string.dump` and `luac` make is loaded too, but in a sandbox.
    /// - Throws: `LuaFailure` with code `lua.syntax` or `lua.file`.
    public func load(fileAt path: String?) throws -> LuaFunction {
        try balanced {
            try reserve(2)
            let mode = options.isSandboxed ? "t" : "bt"
            let status = path.map { $0.withForeignCString { moon_push_file(current, $0, mode) } } ?? moon_push_file(current, nil, mode)
            if status != LUA_OK {
                let failure = takeFailure(status: status)
                // A file that Lua could not read is no error of the script.
                let isOfFile = failure.message.hasPrefix("cannot ")
                throw LuaFailure(
                    code: isOfFile ? "lua.file" : "lua.syntax", message: failure.message, value: failure.value)
            }
            try setEnvironment()
            defer { pop() }
            return LuaFunction(reference: try reference(at: -1))
        }
    }

    /// Compiles and runs a chunk; `arguments` are its `...`.
    @discardableResult
    public func run(_ text: String, name: String = "chunk", arguments: [any LuaConvertible] = []) throws -> [LuaValue] {
        try load(text, name: name).call(with: arguments)
    }

    /// Loads a module or gives the loaded one, as `require` does in a script.
    @discardableResult
    public func require(_ module: String) throws -> LuaValue {
        guard case .function(let require) = try globals.rawGet("require") else {
            throw LuaFailure(code: "lua.noRequire", message: "the state has no function 'require'")
        }
        return try require(module).first ?? .nil
    }

    /// Lets `require(module)` find a module written in Lua, compiled when it is first required.
    /// - Parameter chunkName: what messages call its text; by default the module's name.
    public func preload(_ module: String, source: String, chunkName: String? = nil) throws {
        try setPreload(module) {
            try source.push(to: self)
            try ("@" + (chunkName ?? module)).push(to: self)
            try check(moon_push_lazy_chunk(current))
        }
    }

    /// Lets `require(module)` find a module that Swift builds when it is first required.
    public func preload(_ module: String, build: @escaping (LuaState) throws -> LuaTable) throws {
        try setPreload(module) {
            try pushFunction("require") { call in try call.push(build(call.state)) }
        }
    }

    private func setPreload(_ module: String, pushLoader: () throws -> Void) throws {
        guard case .table(let package) = try globals.rawGet("package"),
            case .table(let loaders) = try package.rawGet("preload")
        else { throw LuaFailure(code: "lua.noPackage", message: "the state has no table 'package.preload'") }
        let loader = try balanced {
            try reserve(3)
            try pushLoader()
            return try popValue()
        }
        try loaders.rawSet(module, loader)
    }

    /// Lua marks the name of a file by `@`, and one that is no file by `=`; any other name it would quote as source text.
    private func withChunkName<Result>(_ name: String, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (name.hasPrefix("=") ? name : "@" + name).withForeignCString(body)
    }
}
