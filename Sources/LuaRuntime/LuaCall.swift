import Basics
import CLua
import CLuaBridge

/// One call from a script into Swift: its arguments, and the place for its results.
///
/// It cannot be copied or kept: it is over when the function returns. Arguments count from 1; the receiver of a
/// method is not counted.
public struct LuaCall: ~Copyable {
    /// The state, for making tables and functions.
    public unowned(unsafe) let state: LuaState
    private unowned(unsafe) let function: FunctionBox
    private let lastIndex: Int32

    init(state: LuaState, function: FunctionBox, argumentCount: Int32) {
        self.state = state
        self.function = function
        lastIndex = argumentCount
    }

    /// The public name of the function, with which messages begin.
    public var functionName: String { function.name }

    /// The number of arguments that were passed, nils included.
    public var argumentCount: Int { Int(max(0, lastIndex - function.receiverCount)) }

    // MARK: Results

    /// Adds a result; several are returned in order.
    public func push(_ value: some LuaConvertible) throws { try value.push(to: state) }

    /// Adds an object of a registered class as a result.
    public func push(object: AnyObject) throws { try state.push(object: object) }

    // MARK: Arguments of any type

    public func isNil(_ position: Int) -> Bool { type(position) <= LUA_TNIL }

    public func isString(_ position: Int) -> Bool { type(position) == LUA_TSTRING }

    public func isNumber(_ position: Int) -> Bool { type(position) == LUA_TNUMBER }

    public func isTable(_ position: Int) -> Bool { type(position) == LUA_TTABLE }

    public func isFunction(_ position: Int) -> Bool { type(position) == LUA_TFUNCTION }

    /// Whether the argument is an open object of that class.
    public func isObject<Object: AnyObject>(_ position: Int, as type: Object.Type) -> Bool {
        index(position).map { state.object(at: $0) is Object } ?? false
    }

    /// The argument, whatever it is; nil where it was not passed.
    public func value(_ position: Int) throws -> LuaValue { try index(position).map(state.value(at:)) ?? .nil }

    /// All arguments from `position` on.
    public func values(from position: Int = 1) throws -> [LuaValue] {
        guard position <= argumentCount else { return [] }
        return try (position...argumentCount).map { try value($0) }
    }

    /// The argument's text as `tostring` gives it.
    public func text(_ position: Int) throws -> String { try state.text(of: value(position)) }

    // MARK: Errors

    /// A failure about an argument: `throw call.invalid(1, "rows", "must be positive, got \(rows)")`.
    public func invalid(_ position: Int, _ name: String, _ reason: String) -> ArgumentFailure {
        .invalid(function: functionName, place: place(position, name), reason: reason)
    }

    func wrongType(_ position: Int, _ name: String, _ expected: String) -> ArgumentFailure {
        .wrongType(
            function: functionName, place: place(position, name), expected: expected,
            got: index(position).map(state.description(at:)) ?? "nothing")
    }

    func place(_ position: Int, _ name: String) -> String {
        position == 0 ? "self" : name.isEmpty ? "argument \(position)" : "argument \(position) (\(name))"
    }

    /// The stack index of an argument; `nil` for one that was not passed.
    ///
    /// Results are pushed behind the arguments, so a missing argument must not be looked up there.
    @inline(__always)
    func index(_ position: Int) -> Int32? {
        let index = Int32(truncatingIfNeeded: position) &+ function.receiverCount
        return index <= lastIndex ? index : nil
    }

    /// Lua's type of an argument.
    @inline(__always)
    func type(_ position: Int) -> Int32 { index(position).map { lua_type(state.current, $0) } ?? LUA_TNONE }
}
