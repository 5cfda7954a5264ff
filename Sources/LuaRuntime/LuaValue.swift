/// A Lua value in Swift. Tables, functions and userdata are references to the live thing.
public enum LuaValue {
    case `nil`
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    /// Bytes that are not UTF-8 stand as characters that `foreignBytes` turns back; binary data travels as `LuaBytes`.
    case string(String)
    case table(LuaTable)
    case function(LuaFunction)
    /// A userdata, Swift's or foreign, or a coroutine.
    case object(LuaObject)

    /// Bytes of one in a list, beside those of a string.
    static let cost = 32

    /// Bytes of one in a list.
    var byteCount: Int { Self.cost + (string?.utf8.count ?? 0) }

    /// Lua's name of the type, or the class of a userdata.
    public var typeName: String {
        switch self {
        case .nil: "nil"
        case .boolean: "boolean"
        case .integer, .number: "number"
        case .string: "string"
        case .table: "table"
        case .function: "function"
        case .object(let object): object.typeName
        }
    }

    public var isNil: Bool { if case .nil = self { true } else { false } }
    public var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var table: LuaTable? { if case .table(let value) = self { value } else { nil } }
    public var function: LuaFunction? { if case .function(let value) = self { value } else { nil } }
    public var object: LuaObject? { if case .object(let value) = self { value } else { nil } }

    /// The integer, or the number where it has no fraction.
    public var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number, whether Lua keeps it as an integer or a float.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

/// A userdata or a coroutine.
public struct LuaObject {
    let reference: LuaReference
    /// The name of its class, or Lua's name of its type.
    public let typeName: String

    /// The Swift object inside; `nil` where it is another class or a foreign userdata. A function that is called from a
    /// script takes `LuaCall.object(in:as:)`, whose errors name it.
    /// - Throws: `ArgumentFailure`: `closed`, or `busy` while someone has exclusive access to it.
    /// - Parameter function: who asks, with which such an error begins.
    public func object<Object: AnyObject>(
        as type: Object.Type = Object.self, for function: String = "the host"
    ) throws -> Object? {
        try reference.state().object(in: .object(self), as: type, for: function)
    }
}
