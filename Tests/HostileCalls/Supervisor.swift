import Basics
import Foundation

/// Runs children over all calls, on over those that end them.
struct Supervisor {
    let settings: Settings
    /// Calls that a child makes: what one leaves behind, such as a heap overwritten, ends with it.
    private static let childCount = 100_000

    init(_ settings: Settings) { self.settings = settings }

    /// - Returns: The exit status.
    func run() throws -> Int32 {
        let directory = FileManager.default.temporaryDirectory.path + "/hostile-calls-\(ProcessInfo.processInfo.processIdentifier)"
        try AtomicFile.makeDirectory(directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        if let call = settings.call {
            let outcome = try child(["--call", "\(call)"], directory)
            print(outcome.output, terminator: "")
            if let ending = outcome.ending { print("ended by \(ending)") }
            return outcome.ending == nil ? 0 : 1
        }
        let count = settings.count > 0 ? settings.count : Int(try child([], directory).output.filter(\.isNumber)) ?? 0
        var (next, end, failures) = (settings.first, settings.first + count, 0)
        var codes: [String: Int] = [:]
        while next < end {
            let outcome = try child(["--from", "\(next)", "--count", "\(min(Self.childCount, end - next))"], directory)
            for entry in outcome.output.split(whereSeparator: \.isWhitespace) {
                let parts = entry.split(separator: "=")
                if parts.count == 2, let number = Int(parts[1]) { codes[String(parts[0]), default: 0] += number }
            }
            guard let ending = outcome.ending else { next += Self.childCount; continue }
            failures += 1
            print("call \(outcome.call) of seed \(settings.seed): \(ending); scripts/fuzz calls --seed \(settings.seed) --call \(outcome.call)")
            fflush(nil)
            next = max(next, outcome.call) + 1
        }
        let kinds = codes.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.map { "\($0.key) \($0.value)" }
        print("\(count) calls of seed \(settings.seed), \(failures) ended their process; \(kinds.joined(separator: ", "))")
        return failures == 0 ? 0 : 1
    }

    private struct Outcome {
        var output: String
        /// How the process ended, where not by itself.
        var ending: String?
        /// The last call that it began.
        var call: Int
    }

    private func child(_ arguments: [String], _ directory: String) throws -> Outcome {
        let note = directory + "/call"
        try? FileManager.default.removeItem(atPath: note)
        let work = directory + "/work"
        try AtomicFile.makeDirectory(work)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [settings.scripts, "--seed", "\(settings.seed)", "--note", note] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: work)
        // A heap that runs over is worth knowing as such, and a report of a crash is long.
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["SWIFT_BACKTRACE": "enable=no", "MALLOC_CHECK_": "3", "XDG_CACHE_HOME": work]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let bytes = (try? AtomicFile.read(note)) ?? []
        let call = bytes.count == 8 ? bytes.withUnsafeBytes { $0.loadUnaligned(as: Int.self) } : 0
        let ending: String? =
            switch (process.terminationReason, process.terminationStatus) {
            case (.exit, 0): nil
            case (.exit, 3): "does not come back"
            case (.exit, let status): "exit status \(status)"
            case (_, let signal): "signal \(signal)"
            }
        return Outcome(output: text, ending: ending, call: call)
    }
}
