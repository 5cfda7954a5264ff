import CLua
import CLuaBridge

/// What a registered Swift function does.
public typealias LuaFunctionBody = (borrowing LuaCall) throws -> Void

/// A Swift function as a Lua closure holds it.
final class FunctionBox {
    unowned(unsafe) let state: LuaState
    /// The public name that messages begin with, such as `mr.plan` or `Tensor:norm`.
    let name: String
    /// 1 where the first argument on the stack is the receiver of a method, which messages do not count.
    let receiverCount: Int32
    let body: LuaFunctionBody

    init(state: LuaState, name: String, receiverCount: Int32, body: @escaping LuaFunctionBody) {
        self.state = state
        self.name = name
        self.receiverCount = receiverCount
        self.body = body
    }
}

extension LuaState {
    /// Makes a Lua function of a Swift closure that pushes its results with `call.push`.
    ///
    /// What it throws becomes a Lua error whose value has `code`, `message`, `path` and `traceback`.
    /// - Parameters:
    ///   - name: the public name, with which messages about arguments begin.
    ///   - byteCount: what the closure keeps outside of Lua's heap, where scripts can have many of them made.
    public func function(_ name: String, byteCount: Int = 0, _ body: @escaping LuaFunctionBody) throws -> LuaFunction {
        try pushFunction(name, byteCount: byteCount, body)
        defer { pop() }
        return LuaFunction(reference: try reference(at: -1))
    }

    /// Makes a Lua function of a Swift closure that returns its one result.
    public func function<Result: LuaConvertible>(
        _ name: String, _ body: @escaping (borrowing LuaCall) throws -> Result
    ) throws -> LuaFunction {
        try function(name) { call in try call.push(body(call)) }
    }

    func pushFunction(
        _ name: String, receiverCount: Int32 = 0, byteCount: Int = 0, _ body: @escaping LuaFunctionBody
    ) throws {
        try pushRetained(
            FunctionBox(state: self, name: name, receiverCount: receiverCount, body: body), byteCount: max(0, byteCount))
    }

    /// Pushes a Lua function that owns `box`.
    func pushRetained(_ box: AnyObject, byteCount: Int = 0) throws {
        try reserve(1)
        let retained = Unmanaged.passRetained(box)
        let status = moon_push_function(current, host, retained.toOpaque(), byteCount)
        if status != LUA_OK {
            retained.release()
            throw takeFailure(status: status)
        }
    }
}
