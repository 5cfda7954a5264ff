import Formats
import LuaRuntime

/// Histories for TensorBoard.
enum EventFunctions {
    static func add(to table: LuaTable, in state: LuaState) throws {
        try table.offer(EventFileClass.make(), in: state)
        try table.define("event_file", in: state) { call in
            try call.push(EventFileObject(try EventFile(in: try call.path(1, "directory"))))
        }
    }
}

/// A file of events that a script adds to.
final class EventFileObject: LuaObjectConvertible {
    let file: EventFile
    init(_ file: EventFile) { self.file = file }
}

enum EventFileClass {
    static func make() -> LuaClass<EventFileObject> {
        LuaClass("EventFile") { members in
            members.byteCount { $0.file.path.utf8.count }
            members.text { "EventFile \($0.file.path)" }
            members.property("path") { $0.file.path }
            members.method("scalars") { call, events in
                let values = try call.fields(1, "values").map { field -> (tag: String, value: Double) in
                    guard let number = field.value.number else {
                        throw call.invalid(1, "values", "must be numbers by tag, but '\(field.name)' is none")
                    }
                    return (field.name, number)
                }
                try events.file.add(values.sorted { $0.tag < $1.tag }, step: try call.optionalInteger(2, "step") ?? 0)
            }
            members.method("settings") { call, events in
                let settings = try call.fields(1, "settings")
                try events.file.add(
                    settings: try settings.map { field in
                        switch field.value {
                        case .integer(let number): (field.name, .number(Double(number)))
                        case .number(let number): (field.name, .number(number))
                        case .string(let text): (field.name, .text(text))
                        case .boolean(let flag): (field.name, .flag(flag))
                        default:
                            throw call.invalid(
                                1, "settings", "must be numbers, texts or booleans, but '\(field.name)' is none")
                        }
                    }, group: try call.string(2, "group"))
            }
            members.method("close") { _, events in events.file.close() }
        }
    }
}
