import Basics
import Formats
import LuaRuntime

/// Lua values as JSON and back.
///
/// A table with elements 1…n and no names is an array; one with names is an object, its elements, if any, under
/// `rows`. Functions, userdata and keys that are neither names nor places of an array have no JSON form. Numbers that are
/// not finite are `NaN`, `Infinity` and `-Infinity`, so that results come back as they went.
enum LuaJSON {
    /// What stands in a file: `value` as lines of text.
    static func text(_ value: LuaValue, place: String) throws -> String {
        try encode(value, place: place).serialized(pretty: true, allowsNonFinite: true) + "\n"
    }

    /// The value that the bytes of a file spell, also behind a byte order mark.
    static func value(_ bytes: [UInt8], source: String, in state: LuaState) throws -> LuaValue {
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        return try decode(try JSONValue.parse(text, source: source, allowsNonFinite: true, keepsDigits: true), in: state)
    }

    static func encode(_ value: LuaValue, place: String) throws -> JSONValue {
        var encoder = Encoder()
        return try encoder.encode(value, place: place)
    }

    /// The elements of a table, or what stands under `rows` of one that came back from a file.
    static func rows(of table: LuaTable, place: String) throws -> [LuaValue] {
        let elements = try table.array(place)
        guard elements.isEmpty, let rows = try table.rawGet("rows").table else { return elements }
        return try rows.array(place + ": rows")
    }

    /// What a value takes in memory.
    static func byteCount(of value: JSONValue) -> Int {
        let own = MemoryLayout<JSONValue>.stride
        return switch value {
        case .null, .bool, .integer, .number: own
        case .string(let text): own + text.utf8.count
        case .array(let elements): elements.reduce(own) { $0 + byteCount(of: $1) }
        case .object(let object): object.members.reduce(own) { $0 + 32 + $1.key.utf8.count + byteCount(of: $1.value) }
        }
    }

    static func decode(_ value: JSONValue, in state: LuaState) throws -> LuaValue {
        switch value {
        case .null: return .nil
        case .bool(let flag): return .boolean(flag)
        case .integer(let number): return .integer(Int(number))
        case .number(let number): return .number(number)
        case .string(let text): return .string(text)
        case .array(let elements):
            let table = try state.table()
            for (position, element) in elements.enumerated() { try table.rawSet(position + 1, try decode(element, in: state)) }
            return .table(table)
        case .object(let object):
            let table = try state.table()
            for (key, member) in object.members { try table.rawSet(key, try decode(member, in: state)) }
            return .table(table)
        }
    }
}

extension LuaJSON {
    /// One walk through a value.
    private struct Encoder {
        /// A table may stand in many places, so that a few tables in each other make more values than memory holds.
        static let mostValues = 1 << 22
        /// The tables that the present one is in, outermost first.
        var outer: [LuaTable.Identity] = []
        var valueCount = 0

        mutating func encode(_ value: LuaValue, place: String) throws -> JSONValue {
            valueCount += 1
            guard valueCount <= Self.mostValues else {
                throw BindingFailure.noJSON(place: place, kind: "a table of more than \(Self.mostValues) values")
            }
            switch value {
            case .nil: return .null
            case .boolean(let flag): return .bool(flag)
            case .integer(let number): return .integer(Int64(number))
            case .number(let number): return .number(number)
            case .string(let text): return .string(text)
            case .table(let table): return try encode(table, place)
            case .function: throw BindingFailure.noJSON(place: place, kind: "a function")
            case .object(let object): throw BindingFailure.noJSON(place: place, kind: "a \(object.typeName)")
            }
        }

        private mutating func encode(_ table: LuaTable, _ place: String) throws -> JSONValue {
            try Cancellation.check()
            let identity = try table.identity()
            guard !outer.contains(identity) else { throw BindingFailure.noJSON(place: place, kind: "a table in itself") }
            guard outer.count < 64 else { throw BindingFailure.noJSON(place: place, kind: "a table nested this deep") }
            outer.append(identity)
            defer { outer.removeLast() }
            var elements: [JSONValue] = []
            for (position, element) in try table.array(place).enumerated() {
                elements.append(try encode(element, place: "\(place)[\(position + 1)]"))
            }
            let fields = try self.fields(of: table, place)
            if fields.isEmpty { return elements.isEmpty ? .object([:]) : .array(elements) }
            if !elements.isEmpty, fields.contains(where: { $0.name == "rows" }) {
                throw BindingFailure.noJSON(place: place, kind: "a table with both elements and a field 'rows', under which they would stand,")
            }
            var object = JSONObject()
            for (name, field) in fields { object[name] = try encode(field, place: "\(place).\(name)") }
            if !elements.isEmpty { object["rows"] = .array(elements) }
            return .object(object)
        }

        /// What stands under names, in their order. Places of the array are whole numbers; any other key would be lost.
        private func fields(of table: LuaTable, _ place: String) throws -> [(name: String, value: LuaValue)] {
            try table.forEach { key, _ in
                switch key {
                case .string, .integer: return
                case .number(let number): throw BindingFailure.noJSON(place: place, kind: "the key \(number)")
                default: throw BindingFailure.noJSON(place: place, kind: "a key that is neither a name nor a number")
                }
            }
            return try table.fields()
        }
    }
}
