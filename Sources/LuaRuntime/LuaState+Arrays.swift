import CLua
import CLuaBridge

/// Arrays on the stack. Their lengths come from the entries that are there: what `#` and `lua_rawlen` give is a border,
/// and 64 keys make a table whose border is 2⁶³ − 1.
extension LuaState {
    /// The number of elements of the table at `index`, which must stand at 1…n.
    /// - Throws: `ArgumentFailure.notArray` where there is another integer key, with `place` for who passed the table.
    /// - Complexity: O(entries), and no more memory than they have.
    func arrayCount(at index: Int32, place: @autoclosure () -> String) throws -> Int {
        try reserve(3)
        var stray: Int64 = 0
        let count = moon_array_count(current, index, &stray)
        if count >= 0 { return Int(count) }
        throw ArgumentFailure.notArray(
            place: place(), key: Int(stray), missing: stray < 1 ? nil : Int(moon_leading_count(current, index)) + 1)
    }

    /// Reads elements 1…n as numbers; gives how many came before the first that is none.
    func readNumbers(at index: Int32, into elements: UnsafeMutableBufferPointer<Double>) -> Int {
        guard let start = elements.baseAddress else { return 0 }
        return moon_read_numbers(current, index, start, elements.count)
    }

    /// Reads elements 1…n as integers; gives how many came before the first that is none.
    func readIntegers(at index: Int32, into elements: UnsafeMutableBufferPointer<Int64>) -> Int {
        guard let start = elements.baseAddress else { return 0 }
        return moon_read_integers(current, index, start, elements.count)
    }

    /// The number at `index` as an integer, where it is one or has no fraction.
    @inline(__always)
    func integer(at index: Int32) -> Int? {
        if lua_isinteger(current, index) != 0 { return Int(lua_tointegerx(current, index, nil)) }
        guard lua_type(current, index) == LUA_TNUMBER else { return nil }
        return Int(exactly: lua_tonumberx(current, index, nil))
    }
}
