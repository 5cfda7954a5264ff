import Basics
import CommandTesting
import Testing

/// The toolkit without Lua, as its documentation shows it.
@Suite(.serialized) struct SwiftProgramTests {
    /// It imports Foundation and `Moonrail` and nothing else.
    @Test func theMainJobRuns() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let outcome = try BuiltCommand.run(
            [Repository.root + "/scripts/models/resnet20-fashion.safetensors", "0.4", directory + "/small.onnx"],
            program: try BuiltCommand.path("SwiftProgram"), patienceSeconds: QuickstartTests.patienceSeconds)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("lwiq_energy policy: keeps ") && $0.hasSuffix("bound by params") })
        let measured = lines.filter { $0.contains(" parameters, accuracy ") }.map { line in
            line.split(separator: " ").compactMap { Double($0) }
        }
        try #require(measured.count == 2 && measured.allSatisfy { $0.count == 2 }, "\(outcome.output)")
        #expect(measured[0][0] == 269_434 && measured[1][0] <= 0.4 * 269_434)
        #expect(measured[1][1] > measured[0][1] - 5, "\(outcome.output)")
        #expect(lines.last?.hasPrefix("logits [128, 10]") == true)
        #expect(AtomicFile.exists(directory + "/small.onnx"))
    }

    @Test func theArticleShowsAllOfIt() throws {
        func text(_ path: String) throws -> String {
            String(decoding: try AtomicFile.read(Repository.root + "/" + path), as: UTF8.self)
        }
        let article = try text("Sources/Moonrail/Moonrail.docc/SwiftLibrary.md")
        #expect(article.contains("```swift\n" + (try text("Tests/SwiftProgram/main.swift")) + "```\n"))
    }
}
