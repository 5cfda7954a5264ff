import Basics
import CLua
import CLuaBridge

/// Arguments that are arrays, by the rule of `LuaTable.count`.
extension LuaCall {
    /// An array of integers, such as a shape.
    public func integers(_ position: Int, _ name: String) throws -> [Int] {
        let (index, count) = try array(position, name, "an array of integers")
        var elements = [Int64](repeating: 0, count: count)
        let read = elements.withUnsafeMutableBufferPointer { state.readIntegers(at: index, into: $0) }
        if read < count { throw try wrongElement(position, name, read, "an array of integers") }
        return elements.map { Int($0) }
    }

    /// An array of numbers.
    public func numbers(_ position: Int, _ name: String) throws -> [Double] {
        let (index, count) = try array(position, name, "an array of numbers")
        var elements = [Double](repeating: 0, count: count)
        let read = elements.withUnsafeMutableBufferPointer { state.readNumbers(at: index, into: $0) }
        if read < count { throw try wrongElement(position, name, read, "an array of numbers") }
        return elements
    }

    /// An array of strings.
    public func strings(_ position: Int, _ name: String) throws -> [String] {
        let (index, count) = try array(position, name, "an array of strings")
        try state.reserve(1)
        return try (0..<count).map { offset in
            lua_rawgeti(state.current, index, lua_Integer(offset + 1))
            defer { state.pop() }
            guard let text = try state.takenText(at: -1) else {
                throw try wrongElement(position, name, offset, "an array of strings")
            }
            return text
        }
    }

    /// An array of anything.
    public func values(in position: Int, _ name: String, _ expected: String = "an array") throws -> [LuaValue] {
        let (index, count) = try array(position, name, expected)
        try state.reserve(1)
        try state.take(count * LuaValue.cost)
        return try (0..<count).map { offset in
            lua_rawgeti(state.current, index, lua_Integer(offset + 1))
            return try state.popValue()
        }
    }

    private func array(_ position: Int, _ name: String, _ expected: String) throws -> (index: Int32, count: Int) {
        guard isTable(position), let index = index(position) else { throw wrongType(position, name, expected) }
        return (index, try state.arrayCount(at: index, place: "\(functionName): \(place(position, name))"))
    }

    /// Element `offset`, counted from 0, is of another type.
    private func wrongElement(
        _ position: Int, _ name: String, _ offset: Int, _ expected: String
    ) throws -> ArgumentFailure {
        try state.reserve(1)
        lua_rawgeti(state.current, index(position) ?? 0, lua_Integer(offset + 1))
        defer { state.pop() }
        return .wrongType(
            function: functionName, place: "argument \(position) (\(name)[\(offset + 1)])",
            expected: "an element of " + expected, got: state.description(at: -1))
    }
}
