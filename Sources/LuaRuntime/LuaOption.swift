/// An option that a function takes, as its description says.
public struct LuaOption: Sendable {
    /// What an option is that is not given.
    public enum Default: Sendable, Equatable {
        case boolean(Bool)
        case integer(Int)
        case number(Double)
        case string(String)
        case numbers([Double])
    }

    public let name: String
    /// The types that it may have, in the notation of LuaCATS: `integer|integer[]`.
    public let kind: String
    /// Whether it must be given.
    public let isRequired: Bool
    /// Absent where an option that is not given stays absent, or is worked out from the rest.
    public let fallback: Default?
    /// What the option means, for a reader.
    public let text: String

    public init(name: String, kind: String, isRequired: Bool = false, fallback: Default? = nil, text: String = "") {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.fallback = fallback
        self.text = text
    }
}

extension LuaOption.Default {
    /// The value in a state.
    public func value(in state: LuaState) throws -> LuaValue {
        switch self {
        case .boolean(let value): .boolean(value)
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .string(let value): .string(value)
        case .numbers(let values):
            .table(try values.reduce(into: state.table()) { table, value in try table.append(value) })
        }
    }
}
