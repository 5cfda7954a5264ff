import Basics
import CommandTesting
import Testing

/// Every Lua example of the README runs as it stands there.
@Suite(.serialized) struct ReadmeTests {
    private static let examples: [String] = {
        guard let bytes = try? AtomicFile.read(Repository.root + "/README.md") else { return [] }
        var examples: [String] = []
        var open = false
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```lua" {
                open = true
                examples.append("")
            } else if line == "```" {
                open = false
            } else if open {
                examples[examples.count - 1] += line + "\n"
            }
        }
        return examples
    }()

    @Test func thereAreExamples() { #expect(Self.examples.count >= 3) }

    @Test(arguments: examples.indices) func exampleRuns(_ index: Int) throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        // The examples name files as seen from the repository's root, and write beside themselves.
        var text = Self.examples[index].replacing("scripts/models/", with: Repository.root + "/scripts/models/")
        for file in ["small.safetensors", "report.html", "budget.svg", "sweep.json"] {
            text = text.replacing("\"\(file)\"", with: "\"\(directory)/\(file)\"")
        }
        let script = directory + "/example.lua"
        try AtomicFile.write(script, text: text)
        let outcome = try BuiltCommand.run(
            ["run", "--quiet", script], patienceSeconds: QuickstartTests.patienceSeconds)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}
