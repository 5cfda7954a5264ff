import Basics
import Formats
import LuaRuntime

/// Lua values as JSON and back.
///
/// A table with elements 1…n and no names is an array; one with names is an object, its elements, if any, under
/// `rows`. Functions and userdata have no JSON form.
enum LuaJSON {
    static func encode(_ value: LuaValue, place: String, depth: Int = 0) throws -> JSONValue {
        switch value {
        case .nil: return .null
        case .boolean(let flag): return .bool(flag)
        case .integer(let number): return .integer(Int64(number))
        case .number(let number):
            guard number.isFinite else { throw BindingFailure.noJSON(place: place, kind: "\(number)") }
            return .number(number)
        case .string(let text): return .string(text)
        case .table(let table):
            guard depth < 64 else { throw BindingFailure.noJSON(place: place, kind: "a table nested this deep (or in itself)") }
            let elements = try table.array().enumerated().map {
                try encode($1, place: "\(place)[\($0 + 1)]", depth: depth + 1)
            }
            let fields = try table.fields()
            if fields.isEmpty { return elements.isEmpty ? .object([:]) : .array(elements) }
            var object = JSONObject()
            for (name, field) in fields { object[name] = try encode(field, place: "\(place).\(name)", depth: depth + 1) }
            if !elements.isEmpty { object["rows"] = .array(elements) }
            return .object(object)
        case .function: throw BindingFailure.noJSON(place: place, kind: "a function")
        case .object(let object): throw BindingFailure.noJSON(place: place, kind: "a \(object.typeName)")
        }
    }

    /// The elements of a table, or what stands under `rows` of one that came back from a file.
    static func rows(of table: LuaTable) throws -> [LuaValue] {
        let elements = try table.array()
        guard elements.isEmpty, let rows = try table.rawGet("rows").table else { return elements }
        return try rows.array()
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
