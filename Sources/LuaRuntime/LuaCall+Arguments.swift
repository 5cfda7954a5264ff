import Basics
import CLua
import CLuaBridge

/// Arguments of one type. Each takes the position and the name that messages show, and throws `ArgumentFailure` for
/// anything else; the `optional` ones take nil and absence for `nil`. Strings are not taken for numbers, nor numbers
/// for strings.
extension LuaCall {
    /// An integer, or a number without a fraction.
    public func integer(_ position: Int, _ name: String) throws -> Int {
        guard let index = index(position), let value = state.integer(at: index) else {
            throw wrongType(position, name, "an integer")
        }
        return value
    }

    public func number(_ position: Int, _ name: String) throws -> Double {
        guard let index = index(position), lua_type(state.current, index) == LUA_TNUMBER else {
            throw wrongType(position, name, "a number")
        }
        return lua_tonumberx(state.current, index, nil)
    }

    public func string(_ position: Int, _ name: String) throws -> String {
        guard let index = index(position), let text = try state.takenText(at: index) else {
            throw wrongType(position, name, "a string")
        }
        return text
    }

    /// The path of a file that the function is to open for the script.
    /// - Throws: `ArgumentFailure` for one that `LuaOptions.allowedPaths` does not cover.
    public func path(_ position: Int, _ name: String) throws -> String {
        let path = try string(position, name)
        if let refusal = FileRoots.refusal(of: path, within: state.roots) { throw invalid(position, name, refusal) }
        return path
    }

    /// The bytes of a string.
    public func bytes(_ position: Int, _ name: String) throws -> [UInt8] {
        guard let index = index(position), let bytes = try state.takenBytes(at: index) else {
            throw wrongType(position, name, "a string")
        }
        return bytes
    }

    public func boolean(_ position: Int, _ name: String) throws -> Bool {
        guard let index = index(position), lua_type(state.current, index) == LUA_TBOOLEAN else {
            throw wrongType(position, name, "a boolean")
        }
        return lua_toboolean(state.current, index) != 0
    }

    public func table(_ position: Int, _ name: String) throws -> LuaTable {
        guard isTable(position), let index = index(position) else { throw wrongType(position, name, "a table") }
        return LuaTable(reference: try state.reference(at: index))
    }

    /// The fields of a table, sorted by name. A key that is no name is an error, because its value would be lost.
    public func fields(_ position: Int, _ name: String) throws -> [(name: String, value: LuaValue)] {
        let table = try table(position, name)
        try table.forEach { key, _ in
            if key.string == nil { throw invalid(position, name, "must have names, got the key \(try state.text(of: key))") }
        }
        return try table.fields()
    }

    public func function(_ position: Int, _ name: String) throws -> LuaFunction {
        guard isFunction(position), let index = index(position) else { throw wrongType(position, name, "a function") }
        return LuaFunction(reference: try state.reference(at: index))
    }

    // MARK: Optional

    public func optionalInteger(_ position: Int, _ name: String) throws -> Int? {
        isNil(position) ? nil : try integer(position, name)
    }

    public func optionalNumber(_ position: Int, _ name: String) throws -> Double? {
        isNil(position) ? nil : try number(position, name)
    }

    public func optionalString(_ position: Int, _ name: String) throws -> String? {
        isNil(position) ? nil : try string(position, name)
    }

    public func optionalBoolean(_ position: Int, _ name: String) throws -> Bool? {
        isNil(position) ? nil : try boolean(position, name)
    }

    public func optionalTable(_ position: Int, _ name: String) throws -> LuaTable? {
        isNil(position) ? nil : try table(position, name)
    }

    public func optionalFunction(_ position: Int, _ name: String) throws -> LuaFunction? {
        isNil(position) ? nil : try function(position, name)
    }

    public func optionalObject<Object: AnyObject>(
        _ position: Int, _ name: String, as type: Object.Type = Object.self
    ) throws -> Object? {
        isNil(position) ? nil : try object(position, name, as: type)
    }

    /// The options table at the end of the arguments; absent, every option has its default.
    ///
    /// - Parameter known: every option the function has; any other key is an error that names the nearest of them.
    /// - Parameter allowsPositional: whether the table may also have elements 1…n.
    public func options(_ position: Int, known: [String], allowsPositional: Bool = false) throws -> OptionReader {
        try options(
            position, described: known.map { LuaOption(name: $0, kind: "any") }, allowsPositional: allowsPositional)
    }

    /// As with names alone; an option that is not given has the default of its description.
    public func options(_ position: Int, described: [LuaOption], allowsPositional: Bool = false) throws -> OptionReader {
        let reader = OptionReader(
            function: functionName, prefix: "", described: described, table: try optionalTable(position, "options"), state: state)
        try reader.refuseUnknown(allowsPositional: allowsPositional)
        return reader
    }
}
