import Basics
import LuaRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// An error as a person reads it: one sentence, and the lines of their own code that led to it.
public struct ErrorReport {
    public let message: String
    /// The user's lines, innermost first: `recipe.lua:12: in function 'halve'`.
    public let trace: [String]

    private static let longestTrace = 8

    /// - Parameter isOwnChunk: whether a chunk of that name is the user's; by default those that are files, and the script on
    ///   standard input. Chunks that are compiled in have names without a file behind them, and their lines help nobody.
    public init(_ error: any Error, isOwnChunk: (String) -> Bool = ErrorReport.isFile) {
        let text = String(describing: error)
        guard let failure = error as? LuaFailure else {
            (message, trace) = (text, [])
            return
        }
        // A mistake in the command line is none of the script's lines.
        let lines = failure.code == "args.commandLine" ? [] : Self.ownLines(of: failure.traceback, isOwnChunk: isOwnChunk)
        message = text
        // A single line that the message begins with already says nothing new.
        if lines.count == 1, let place = Self.place(of: lines[0]), text.hasPrefix(place) {
            trace = []
        } else {
            trace = lines.count > Self.longestTrace ? lines.prefix(Self.longestTrace) + ["…"] : lines
        }
    }

    private init(message: String, trace: [String]) { (self.message, self.trace) = (message, trace) }

    /// The report of an input of one line, in which there is only one place.
    func withoutPlace(chunk: String) -> ErrorReport {
        let place = chunk + ":1: "
        return ErrorReport(
            message: message.hasPrefix(place) ? String(message.dropFirst(place.count)) : message,
            trace: trace.filter { $0 != place + "in main chunk" })
    }

    /// With the place in front of the message, where it does not begin with one: `recipe.lua:12: mr.plan: …`.
    public var placed: ErrorReport {
        let places = trace.compactMap(Self.place)
        guard let first = places.first, !places.contains(where: message.hasPrefix) else { return self }
        return ErrorReport(message: first + " " + message, trace: trace.count == 1 ? [] : trace)
    }

    /// The report as lines, the first in red on a terminal that likes colours.
    public func text(usesColor: Bool) -> String {
        let lines = [TextStyle.error.apply(to: "error:", where: usesColor) + " " + message]
        return (lines + trace.map { "  " + $0 }).joined(separator: "\n") + "\n"
    }

    public static let isFile: @Sendable (String) -> Bool = { $0 == "stdin" || $0.hasPrefix("...") || $0.withForeignCString { access($0, R_OK) } == 0 }

    /// The part `chunk:line:` of a line of a traceback.
    private static func place(of line: String) -> String? {
        line.firstRange(of: ": in ").map { String(line[..<$0.lowerBound]) + ":" }
    }

    private static func ownLines(of traceback: String, isOwnChunk: (String) -> Bool) -> [String] {
        traceback.split(separator: "\n").dropFirst().compactMap { line in
            let text = line.drop { $0 == "\t" || $0 == " " }
            guard let colon = text.firstIndex(of: ":"), isOwnChunk(String(text[..<colon])) else { return nil }
            return String(text)
        }
    }
}
