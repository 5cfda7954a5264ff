import Basics

/// The options of a call: the last argument, a table with named fields.
///
/// Every getter names the function and the option in its message: `mr.fit: option 'lr' must be a number, got a
/// string ("fast")`. An option that is absent has the default of its description, or the one that the
/// getter is given; without either it is required, and the `optional` getters give `nil`.
public struct OptionReader {
    private let function: String
    /// The names of the tables around this one, with a dot behind each.
    private let prefix: String
    private let described: [LuaOption]
    private let source: LuaTable?
    private let state: LuaState

    init(function: String, prefix: String, described: [LuaOption], table: LuaTable?, state: LuaState) {
        self.function = function
        self.prefix = prefix
        self.described = described
        source = table
        self.state = state
    }

    func refuseUnknown(allowsPositional: Bool) throws {
        let known = described.map(\.name)
        try source?.forEach { key, _ in
            if let name = key.string {
                if known.contains(name) { return }
                throw ArgumentFailure.unknownOption(
                    function: function, option: prefix + name, nearest: nearestName(to: name, among: known))
            }
            if allowsPositional, key.integer != nil { return }
            throw ArgumentFailure.invalid(
                function: function, place: "options", reason: "have names, got the key \(try state.text(of: key))")
        }
    }

    // MARK: Any type

    /// The option, or the default of its description; nil without either.
    public func value(_ name: String) throws -> LuaValue {
        if let given = try source?.rawGet(name), !given.isNil { return given }
        return try described.first { $0.name == name }?.fallback?.value(in: state) ?? .nil
    }

    /// Whether the option is given.
    public func has(_ name: String) throws -> Bool { try source?.rawGet(name).isNil == false }

    /// The elements 1…n of the table.
    public func positional() throws -> [LuaValue] { try source?.array("\(function): options") ?? [] }

    /// A failure about an option: `throw options.invalid("keep", "must lie in (0, 1], got \(keep)")`.
    public func invalid(_ name: String, _ reason: String) -> ArgumentFailure {
        .invalid(function: function, place: place(name), reason: reason)
    }

    // MARK: One type

    public func optionalInteger(_ name: String) throws -> Int? { try read(name, "an integer", \.integer) }
    public func optionalNumber(_ name: String) throws -> Double? { try read(name, "a number", \.number) }
    public func optionalString(_ name: String) throws -> String? { try read(name, "a string", \.string) }
    public func optionalBoolean(_ name: String) throws -> Bool? { try read(name, "a boolean", \.boolean) }
    public func optionalTable(_ name: String) throws -> LuaTable? { try read(name, "a table", \.table) }
    public func optionalFunction(_ name: String) throws -> LuaFunction? { try read(name, "a function", \.function) }

    /// The path of a file that is to be opened for the script, within `LuaOptions.allowedPaths`.
    public func optionalPath(_ name: String) throws -> String? {
        guard let path = try optionalString(name) else { return nil }
        if let refusal = FileRoots.refusal(of: path, within: state.roots) { throw invalid(name, refusal) }
        return path
    }

    public func path(_ name: String) throws -> String { try require(optionalPath(name), name, "a string") }

    public func integer(_ name: String, default fallback: Int? = nil) throws -> Int {
        try require(optionalInteger(name) ?? fallback, name, "an integer")
    }

    public func number(_ name: String, default fallback: Double? = nil) throws -> Double {
        try require(optionalNumber(name) ?? fallback, name, "a number")
    }

    public func string(_ name: String, default fallback: String? = nil) throws -> String {
        try require(optionalString(name) ?? fallback, name, "a string")
    }

    public func boolean(_ name: String, default fallback: Bool? = nil) throws -> Bool {
        try require(optionalBoolean(name) ?? fallback, name, "a boolean")
    }

    /// A word out of a fixed set, such as a policy's name; another one is an error that lists them.
    public func choice(_ name: String, among words: [String], default fallback: String? = nil) throws -> String {
        let word = try string(name, default: fallback)
        if words.contains(word) { return word }
        let hint = didYouMean(nearestName(to: word, among: words))
        throw invalid(name, "must be one of \(words.joined(separator: ", ")), got '\(word)'" + hint)
    }

    // MARK: Objects and arrays

    public func optionalObject<Object: AnyObject>(
        _ name: String, as type: Object.Type = Object.self
    ) throws -> Object? {
        let value = try value(name)
        if value.isNil { return nil }
        if let object = try state.object(in: value, as: type, for: function) { return object }
        throw try wrongType(name, state.description(of: type), value)
    }

    public func object<Object: AnyObject>(_ name: String, as type: Object.Type = Object.self) throws -> Object {
        try require(optionalObject(name, as: type), name, "a " + state.className(of: type))
    }

    /// The fields of a table, sorted by name. A key that is no name is an error, because its value would be lost.
    public func optionalFields(_ name: String) throws -> [(name: String, value: LuaValue)]? {
        guard let table = try optionalTable(name) else { return nil }
        try table.forEach { key, _ in
            if key.string == nil { throw invalid(name, "must have names, got the key \(try state.text(of: key))") }
        }
        return try table.fields()
    }

    public func optionalIntegers(_ name: String) throws -> [Int]? { try array(name, "integers", \.integer) }
    public func optionalNumbers(_ name: String) throws -> [Double]? { try array(name, "numbers", \.number) }
    public func optionalStrings(_ name: String) throws -> [String]? { try array(name, "strings", \.string) }

    public func integers(_ name: String) throws -> [Int] { try require(optionalIntegers(name), name, "an array of integers") }
    public func numbers(_ name: String) throws -> [Double] { try require(optionalNumbers(name), name, "an array of numbers") }

    /// A table of options inside this one; absent, all of its options have their defaults.
    public func nested(_ name: String, described: [LuaOption], allowsPositional: Bool = false) throws -> OptionReader {
        let reader = OptionReader(
            function: function, prefix: prefix + name + ".", described: described, table: try optionalTable(name), state: state)
        try reader.refuseUnknown(allowsPositional: allowsPositional)
        return reader
    }

    /// As with descriptions, of names alone.
    public func nested(_ name: String, known: [String], allowsPositional: Bool = false) throws -> OptionReader {
        try nested(name, described: known.map { LuaOption(name: $0, kind: "any") }, allowsPositional: allowsPositional)
    }

    /// The Swift object in a value that an option holds; `nil` where it is anything else.
    public func object<Object: AnyObject>(in value: LuaValue, as type: Object.Type = Object.self) throws -> Object? {
        try state.object(in: value, as: type, for: function)
    }

    // MARK: How

    private func place(_ name: String) -> String { "option '\(prefix)\(name)'" }

    private func read<Value>(_ name: String, _ expected: String, _ convert: (LuaValue) -> Value?) throws -> Value? {
        let value = try value(name)
        if value.isNil { return nil }
        if let converted = convert(value) { return converted }
        throw try wrongType(name, expected, value)
    }

    private func array<Element>(
        _ name: String, _ elements: String, _ convert: (LuaValue) -> Element?
    ) throws -> [Element]? {
        guard let table = try read(name, "an array of \(elements)", \.table) else { return nil }
        if let stray = try table.fields().first {
            throw invalid(name, "must be an array of \(elements), but has the field '\(stray.name)'")
        }
        return try table.array("\(function): \(place(name))").enumerated().map { position, value in
            if let element = convert(value) { return element }
            throw try wrongType("\(name)[\(position + 1)]", "one of the \(elements)", value)
        }
    }

    private func require<Value>(_ value: Value?, _ name: String, _ expected: String) throws -> Value {
        guard let value else { throw ArgumentFailure.missing(function: function, place: place(name), expected: expected) }
        return value
    }

    private func wrongType(_ name: String, _ expected: String, _ value: LuaValue) throws -> ArgumentFailure {
        try value.push(to: state)
        defer { state.pop() }
        return .wrongType(
            function: function, place: place(name), expected: expected, got: state.description(at: -1))
    }
}
