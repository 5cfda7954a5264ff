import Basics
// Swift 6 takes the C library's `stdin` for a variable that anybody may change.
@preconcurrency import Glibc

/// Standard input line by line, from the buffer that Lua's `io.read` reads too.
public enum StandardInput {
    /// The next line without its end, whatever its bytes; `nil` at the end of the input.
    public static func readLine() -> String? {
        var (line, capacity): (UnsafeMutablePointer<CChar>?, Int) = (nil, 0)
        defer { free(line) }
        let count = getline(&line, &capacity, stdin)
        guard count >= 0, let line else { return nil }
        var bytes = UnsafeRawBufferPointer(start: line, count: count)
        if bytes.last == UInt8(ascii: "\n") { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
        if bytes.last == UInt8(ascii: "\r") { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
        return String(foreignBytes: bytes)
    }
}
