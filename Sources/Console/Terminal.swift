import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// A standard stream and what it can show.
public struct Terminal: Sendable {
    public let descriptor: Int32
    /// Whether somebody watches: the stream is a terminal that can move its cursor.
    public let isInteractive: Bool
    /// Whether colours are welcome (https://no-color.org).
    public let usesColor: Bool

    public init(descriptor: Int32) {
        self.descriptor = descriptor
        isInteractive = isatty(descriptor) != 0 && Self.environment("TERM") != "dumb"
        usesColor = isInteractive && Self.environment("NO_COLOR") == nil
    }

    /// A stream with given abilities, for tests and captured output.
    public init(descriptor: Int32, isInteractive: Bool, usesColor: Bool) {
        self.descriptor = descriptor
        self.isInteractive = isInteractive
        self.usesColor = usesColor
    }

    public static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    public static let standardError = Terminal(descriptor: STDERR_FILENO)

    /// The width in characters; 80 where nobody knows.
    public var columnCount: Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes `text` behind whatever the process wrote before, to either stream. What standard output does not take is
    /// found by `StandardOutput.finish`.
    public func write(_ text: String) {
        if descriptor == STDOUT_FILENO {
            try? StandardOutput.write(text)
            return
        }
        // What `print` and `io.write` left in the C library's buffers comes first.
        fflush(nil)
        text.withForeignBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.base.baseAddress! + rest.startIndex, rest.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// An environment variable that is set and not empty.
    public static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(foreignCString: value)
    }
}

/// The few ways in which text stands out.
enum TextStyle: String {
    case error = "31"
    case bar = "32"
    case faint = "2"

    func apply(to text: String, where usesColor: Bool) -> String {
        usesColor ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }
}
