// Swift 6 takes the C library's `stdout` for a variable that anybody may change.
@preconcurrency import Glibc

/// Standard output as it is often used: the end of a pipe, or a file on a disk that may be full. What it does not take is
/// an error.
package enum StandardOutput {
    /// Writes `text` behind whatever the process wrote before and hands it on at once, as Lua's own `print` does, so that
    /// a log behind a pipe is up to date.
    /// - Throws: `FileFailure.cannotWrite`.
    public static func write(_ text: String) throws {
        try text.withForeignBytes { try write($0) }
    }

    public static func write(_ bytes: UnsafeRawBufferPointer) throws {
        let count = fwrite(bytes.baseAddress, 1, bytes.count, stdout)
        guard count == bytes.count, fflush(stdout) == 0 else { throw failure(errno) }
    }

    /// Hands on what is left. Whoever ends the process calls it, because the C library would do it without a word.
    /// - Throws: `FileFailure.cannotWrite` where this, or anything printed earlier, was lost.
    public static func finish() throws {
        guard fflush(stdout) == 0 else { throw failure(errno) }
        guard ferror(stdout) == 0 else { throw failure(0) }
    }

    private static func failure(_ error: Int32) -> FileFailure {
        .cannotWrite(
            path: "standard output", reason: error == 0 ? "some of it was refused" : String(cString: strerror(error)))
    }
}
