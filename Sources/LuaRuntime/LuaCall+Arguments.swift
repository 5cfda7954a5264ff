import Basics
import CLua
import CLuaBridge

/// Arguments of one type. Each takes the position and the name that messages show, and throws `ArgumentFailure` for
/// anything else; the `optional` ones take nil and absence for `nil`. Strings are not taken for numbers, nor numbers
/// for strings.
extension LuaCall {
    /// An integer, or a number without a fraction.
    public func integer(_ position: Int, _ name: String) throws -> Int {
        let index = index(position)
        if lua_isinteger(state.current, index) != 0 { return Int(lua_tointegerx(state.current, index, nil)) }
        guard lua_type(state.current, index) == LUA_TNUMBER,
            let value = Int(exactly: lua_tonumberx(state.current, index, nil))
        else { throw wrongType(position, name, "an integer") }
        return value
    }

    public func number(_ position: Int, _ name: String) throws -> Double {
        let index = index(position)
        guard lua_type(state.current, index) == LUA_TNUMBER else { throw wrongType(position, name, "a number") }
        return lua_tonumberx(state.current, index, nil)
    }

    public func string(_ position: Int, _ name: String) throws -> String {
        guard let text = state.text(at: index(position)) else { throw wrongType(position, name, "a string") }
        return text
    }

    /// The path of a file that the function is to open for the script.
    /// - Throws: `ArgumentFailure` for one that `LuaOptions.allowedPaths` does not cover.
    public func path(_ position: Int, _ name: String) throws -> String {
        let path = try string(position, name)
        if let refusal = state.fileAccess.refusal(of: path) { throw invalid(position, name, refusal) }
        return path
    }

    /// The bytes of a string.
    public func bytes(_ position: Int, _ name: String) throws -> [UInt8] {
        guard let bytes = state.bytes(at: index(position)) else { throw wrongType(position, name, "a string") }
        return bytes
    }

    public func boolean(_ position: Int, _ name: String) throws -> Bool {
        let index = index(position)
        guard lua_type(state.current, index) == LUA_TBOOLEAN else { throw wrongType(position, name, "a boolean") }
        return lua_toboolean(state.current, index) != 0
    }

    public func table(_ position: Int, _ name: String) throws -> LuaTable {
        guard isTable(position) else { throw wrongType(position, name, "a table") }
        return LuaTable(reference: try state.reference(at: index(position)))
    }

    public func function(_ position: Int, _ name: String) throws -> LuaFunction {
        guard isFunction(position) else { throw wrongType(position, name, "a function") }
        return LuaFunction(reference: try state.reference(at: index(position)))
    }

    /// An array of integers, such as a shape.
    public func integers(_ position: Int, _ name: String) throws -> [Int] {
        try elements(position, name, "an array of integers", \.integer)
    }

    /// An array of numbers.
    public func numbers(_ position: Int, _ name: String) throws -> [Double] {
        try elements(position, name, "an array of numbers", \.number)
    }

    /// An array of strings.
    public func strings(_ position: Int, _ name: String) throws -> [String] {
        try elements(position, name, "an array of strings", \.string)
    }

    private func elements<Element>(
        _ position: Int, _ name: String, _ expected: String, _ read: (LuaValue) -> Element?
    ) throws -> [Element] {
        guard isTable(position) else { throw wrongType(position, name, expected) }
        var elements: [Element] = []
        let index = index(position)
        let count = Int(lua_rawlen(state.current, index))
        elements.reserveCapacity(count)
        for i in stride(from: 1, through: count, by: 1) {
            try state.reserve(1)
            lua_rawgeti(state.current, index, lua_Integer(i))
            let got = state.description(at: -1)
            guard let element = read(try state.popValue()) else {
                throw ArgumentFailure.wrongType(
                    function: functionName, place: "argument \(position) (\(name)[\(i)])",
                    expected: "an element of " + expected, got: got)
            }
            elements.append(element)
        }
        return elements
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
        guard let table = try optionalTable(position, "options") else {
            return OptionReader(function: functionName, prefix: "", table: nil, state: state)
        }
        let reader = OptionReader(function: functionName, prefix: "", table: table, state: state)
        try reader.refuseUnknown(known: known, allowsPositional: allowsPositional)
        return reader
    }
}
