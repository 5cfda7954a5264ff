import Basics
import CLua
import CLuaBridge

/// A Lua function that Swift can call: one written in Lua, or a Swift closure that was registered.
public struct LuaFunction {
    let reference: LuaReference

    /// Calls the function and returns all its results.
    ///
    /// - Throws: `LuaFailure` for any Lua error. Thrown on to Lua, it is again the error value that it was.
    @discardableResult
    public func callAsFunction(_ arguments: any LuaConvertible...) throws -> [LuaValue] {
        try call(with: arguments)
    }

    /// Calls the function with an array of arguments.
    @discardableResult
    public func call(with arguments: [any LuaConvertible]) throws -> [LuaValue] {
        let state = try reference.state()
        let top = lua_gettop(state.current)
        return try state.balanced {
            try state.reserve(arguments.count + 2)
            try reference.push(on: state)
            for argument in arguments { try argument.push(to: state) }
            try state.call(argumentCount: arguments.count, resultCount: Int(LUA_MULTRET))
            defer { lua_settop(state.current, top) }
            let count = lua_gettop(state.current) - top
            guard count > 0 else { return [] }
            return try (1...count).map { try state.value(at: top + $0) }
        }
    }
}

extension LuaState {
    /// Runs the function below the arguments on top of the stack; the only way from Swift into Lua code.
    func call(argumentCount: Int, resultCount: Int) throws {
        let isOutermost = host.pointee.callDepth == 0 && options.timeLimit != nil
        if isOutermost { context.cancellation.allow(seconds: options.timeLimit) }
        defer { if isOutermost { context.cancellation.allow(seconds: nil) } }
        try check(moon_call(current, host, Int32(argumentCount), Int32(resultCount)))
    }
}
