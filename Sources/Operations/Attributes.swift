import Basics

/// The value of an attribute.
public enum AttributeValue: Hashable, Sendable, CustomStringConvertible {
    case int(Int)
    case ints([Int])
    case float(Double)
    case bool(Bool)
    case string(String)

    public var description: String {
        switch self {
        case .int(let value): "\(value)"
        case .ints(let values): "[" + values.map(String.init).joined(separator: ",") + "]"
        case .float(let value): DecimalText.significant(value)
        case .bool(let value): "\(value)"
        case .string(let value): value
        }
    }
}

/// Named attributes of an operation, with typed access that says what is wrong.
public struct Attributes: Hashable, Sendable {
    public private(set) var values: [String: AttributeValue]
    private let operation: String

    public init(_ operation: String, _ values: [String: AttributeValue] = [:]) {
        self.operation = operation
        self.values = values
    }

    public func int(_ name: String) throws -> Int {
        guard case .int(let value) = try value(name) else { throw wrongType(name, "a whole number") }
        return value
    }

    public func ints(_ name: String, count: Int) throws -> [Int] {
        guard case .ints(let values) = try value(name), values.count == count else {
            throw wrongType(name, "\(count) whole numbers")
        }
        return values
    }

    public func ints(_ name: String) throws -> [Int] {
        guard case .ints(let values) = try value(name) else { throw wrongType(name, "whole numbers") }
        return values
    }

    public func float(_ name: String) throws -> Double {
        switch try value(name) {
        case .float(let value): return value
        case .int(let value): return Double(value)
        default: throw wrongType(name, "a number")
        }
    }

    public func bool(_ name: String) throws -> Bool {
        guard case .bool(let value) = try value(name) else { throw wrongType(name, "true or false") }
        return value
    }

    /// As `bool`, where files written before the attribute existed mean `default`.
    public func bool(_ name: String, default value: Bool) throws -> Bool {
        values[name] == nil ? value : try bool(name)
    }

    public func string(_ name: String) throws -> String {
        guard case .string(let value) = try value(name) else { throw wrongType(name, "a string") }
        return value
    }

    private func value(_ name: String) throws -> AttributeValue {
        guard let value = values[name] else {
            throw OperationFailure.attribute(operation: operation, detail: "attribute '\(name)' is missing")
        }
        return value
    }

    /// The failure for a value of the right type that makes no sense.
    func refused(_ name: String, _ reason: String) -> OperationFailure {
        .attribute(operation: operation, detail: "attribute '\(name)': \(reason)")
    }

    private func wrongType(_ name: String, _ expected: String) -> OperationFailure {
        .attribute(
            operation: operation,
            detail: "attribute '\(name)' must be \(expected), but is \(values[name].map(String.init(describing:)) ?? "nothing")")
    }
}
