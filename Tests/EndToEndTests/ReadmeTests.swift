import Basics
import CommandTesting
import Glibc
import Testing

/// Every Lua example of the README and of the documentation runs as it stands there.
@Suite(.serialized) struct ReadmeTests {
    struct Example: CustomTestStringConvertible {
        let place: String
        let text: String
        var testDescription: String { place }
    }

    private static let catalogue = Repository.root + "/Sources/Moonrail/Moonrail.docc"

    private static let examples: [Example] = {
        let articles = DirectoryListing.entries(of: catalogue).map { catalogue + "/" + $0.name }.filter { $0.hasSuffix(".md") }
        return ([Repository.root + "/README.md"] + articles.sorted()).flatMap(examples)
    }()

    private static func examples(in path: String) -> [Example] {
        guard let bytes = try? AtomicFile.read(path) else { return [] }
        var examples: [Example] = []
        var open: String?
        for (number, line) in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line == "```lua" {
                open = ""
            } else if line == "```" {
                let name = path.split(separator: "/").last.map(String.init) ?? path
                if let text = open { examples.append(Example(place: "\(name):\(number + 1)", text: text)) }
                open = nil
            } else {
                open?.append(line + "\n")
            }
        }
        return examples
    }

    @Test func thereAreExamples() {
        for (page, count) in [("README", 1), ("Experiments", 7), ("TrainingLoops", 5), ("GettingStarted", 2)] {
            #expect(Self.examples.count { $0.place.hasPrefix(page) } >= count, "\(page)")
        }
    }

    @Test(arguments: examples) func exampleRuns(_ example: Example) throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        // The examples name files as seen from the repository's root, and write beside themselves.
        var text = example.text.replacing("scripts/models/", with: Repository.root + "/scripts/models/")
        for file in ["small.safetensors", "report.html", "budget.svg", "sweep.json"] {
            text = text.replacing("\"\(file)\"", with: "\"\(directory)/\(file)\"")
        }
        let script = directory + "/example.lua"
        try AtomicFile.write(script, text: text)
        let outcome = try BuiltCommand.run(
            ["run", "--quiet", script], patienceSeconds: QuickstartTests.patienceSeconds)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    /// Without warnings: every article is there, and every link leads somewhere.
    @Test(.enabled(if: docc != nil, "the toolchain has no docc")) func theCatalogueIsConverted() throws {
        let directory = try temporaryDirectory()
        let outcome = try BuiltCommand.run(
            [
                "convert", Self.catalogue, "--warnings-as-errors", "--fallback-display-name", "Moonrail",
                "--fallback-bundle-identifier", "moonrail", "--output-path", directory + "/built",
            ], program: Self.docc, patienceSeconds: 120)
        _ = try? BuiltCommand.run(["-rf", directory], program: "/bin/rm")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }

    private static let docc: String? = {
        let directories = getenv("PATH").map { String(cString: $0) }?.split(separator: ":") ?? []
        return directories.map { $0 + "/docc" }.first { access($0, X_OK) == 0 }
    }()
}
