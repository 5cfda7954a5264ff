import Basics
import CLua
import CLuaBridge

/// A Swift value that has a Lua form.
public protocol LuaConvertible {
    /// Pushes exactly one Lua value, or throws and pushes none.
    func push(to state: LuaState) throws
}

extension Int: LuaConvertible {
    public func push(to state: LuaState) throws {
        try state.reserve(1)
        lua_pushinteger(state.current, lua_Integer(self))
    }
}

extension Double: LuaConvertible {
    public func push(to state: LuaState) throws {
        try state.reserve(1)
        lua_pushnumber(state.current, self)
    }
}

extension Float: LuaConvertible {
    public func push(to state: LuaState) throws { try Double(self).push(to: state) }
}

extension Bool: LuaConvertible {
    public func push(to state: LuaState) throws {
        try state.reserve(1)
        lua_pushboolean(state.current, self ? 1 : 0)
    }
}

extension String: LuaConvertible {
    /// A string of Lua is bytes: those that `foreignBytes` gives.
    public func push(to state: LuaState) throws {
        try withForeignBytes { try state.pushString($0) }
    }
}

/// A Lua string that is bytes rather than text.
public struct LuaBytes: LuaConvertible {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public func push(to state: LuaState) throws { try bytes.withUnsafeBytes { try state.pushString($0) } }
}

extension Optional: LuaConvertible where Wrapped: LuaConvertible {
    public func push(to state: LuaState) throws {
        if let self { try self.push(to: state) } else { try state.pushNil() }
    }
}

extension Array: LuaConvertible where Element: LuaConvertible {
    /// - Complexity: O(count); arrays of `Double`, `Float` and `Int` cross in one go.
    public func push(to state: LuaState) throws {
        if let numbers = self as? [Double] { return try state.pushNumbers(numbers) }
        if let numbers = self as? [Float] { return try state.pushNumbers(numbers.map(Double.init)) }
        if let integers = self as? [Int] { return try state.pushIntegers(integers) }
        try state.pushTable(arrayCount: count)
        for (position, element) in enumerated() {
            try state.assign(position + 1, element)
        }
    }
}

/// The fields of a new Lua table, in order: `["name": "conv1", "rank": 8, "shape": [32, 16, 3, 3]]`.
public struct LuaFields: LuaConvertible, ExpressibleByDictionaryLiteral {
    public private(set) var fields: [(name: String, value: any LuaConvertible)]

    public init(_ fields: [(String, any LuaConvertible)] = []) {
        self.fields = fields.map { (name: $0.0, value: $0.1) }
    }

    public init(dictionaryLiteral elements: (String, any LuaConvertible)...) { self.init(elements) }

    public mutating func append(_ name: String, _ value: any LuaConvertible) {
        fields.append((name: name, value: value))
    }

    public func push(to state: LuaState) throws {
        try state.pushTable(fieldCount: fields.count)
        for field in fields { try state.assign(field.name, field.value) }
    }
}

extension LuaValue: LuaConvertible {
    public func push(to state: LuaState) throws {
        switch self {
        case .nil: try state.pushNil()
        case .boolean(let value): try value.push(to: state)
        case .integer(let value): try value.push(to: state)
        case .number(let value): try value.push(to: state)
        case .string(let value): try value.push(to: state)
        case .table(let table): try table.reference.push(on: state)
        case .function(let function): try function.reference.push(on: state)
        case .object(let object): try object.reference.push(on: state)
        }
    }
}

extension LuaTable: LuaConvertible {
    public func push(to state: LuaState) throws { try reference.push(on: state) }
}

extension LuaFunction: LuaConvertible {
    public func push(to state: LuaState) throws { try reference.push(on: state) }
}

extension LuaObject: LuaConvertible {
    public func push(to state: LuaState) throws { try reference.push(on: state) }
}

/// A Swift class whose objects Lua sees as userdata. Adopting it is enough once its `LuaClass` is registered.
public protocol LuaObjectConvertible: AnyObject, LuaConvertible {}

extension LuaObjectConvertible {
    public func push(to state: LuaState) throws { try state.push(object: self) }
}
