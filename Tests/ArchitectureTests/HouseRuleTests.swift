import Testing

/// Rules about every file.
@Suite struct HouseRuleTests {
    /// Generated code follows its generator.
    private static let files = SourceTree.sources(["swift", "c", "cpp", "h", "hpp", "lua"])
        .filter { !$0.name.hasSuffix(".pb.swift") }
    private static let longestFile = 400

    @Test func filesAreShort() {
        #expect(Self.files.count > 100)
        for file in Self.files where file.lines.count > Self.longestFile + 1 {
            Issue.record("\(file.path) has \(file.lines.count) lines, more than \(Self.longestFile)")
        }
    }

    @Test func filesHaveSubjects() {
        for file in Self.files {
            for word in ["Utils", "Utilities", "Helper", "Common", "Misc", "Manager"] where file.name.contains(word) {
                Issue.record("\(file.path): '\(word)' is no subject")
            }
        }
    }

    /// What a script or a file can cause is thrown, and nothing is left for later in a comment.
    @Test func nothingCrashesOnPurposeOrIsPutOff() {
        for file in Self.files {
            for word in ["fatalError(", "try! ", "TO" + "DO", "FIX" + "ME"] where file.text.contains(word) {
                Issue.record("\(file.path) contains '\(word)'")
            }
        }
    }

    /// ThreadSanitizer sees the locks of `Guarded` and not those of `Synchronization.Mutex`, which it takes for none.
    @Test func locksAreSeenByThreadSanitizer() {
        for file in Self.files where file.text.contains("Mutex" + "<") || file.text.contains("Mutex" + "(") {
            Issue.record("\(file.path) uses a lock beside Guarded")
        }
    }

    @Test func modulesDoNotBearTheNameOfATypeInside() {
        for file in Self.files {
            for line in file.lines {
                let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
                guard let kind = words.firstIndex(where: { ["struct", "class", "enum", "actor", "protocol"].contains($0) }),
                    kind + 1 < words.count, !line.drop(while: { $0 == " " }).hasPrefix("/")
                else { continue }
                if words[kind + 1] == file.target { Issue.record("\(file.path) declares \(file.target)") }
            }
        }
    }

    /// A sandbox holds because every file is opened by `PathOpening`. The others open what no script names: the prompt's
    /// history, the places of the command itself, and what the kernel says of the processor.
    @Test func filesAreOpenedInOnePlace() {
        let others = [
            "Sources/Basics/", "Sources/Console/", "Sources/MoonrailCommand/", "Sources/Compression/Latency/LatencyMeter.swift",
        ]
        let calls = ["open", "openat", "fopen", "opendir", "realpath", "stat", "lstat", "access", "mkdir", "unlink", "rename", "readlink"]
        for file in Self.files where file.name.hasSuffix(".swift") && !others.contains(where: { file.path.hasPrefix($0) }) {
            for line in file.lines {
                for call in calls where line.contains("$0") && (line.contains(" \(call)($0") || line.contains("(\(call)($0")) {
                    Issue.record("\(file.path) opens a file by itself: \(line)")
                }
                if line.contains("fopen(") { Issue.record("\(file.path) opens a file by itself: \(line)") }
            }
        }
    }
}
