import Basics
import CommandTesting
import Formats
import Graphs
import Interchange
import Testing

/// Where things lie in the repository.
enum Repository {
    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    static let checkpoint = root + "/scripts/models/resnet20-fashion.safetensors"
    static func recipe(_ name: String) -> String { "\(root)/scripts/recipes/\(name).lua" }
}

/// The recipes as a newcomer runs them, with less to do.
@Suite(.serialized) struct QuickstartTests {
    /// For a machine that others keep busy.
    static let patienceSeconds = 300

    @Test func writesModelsReportAndChart() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let outcome = try BuiltCommand.run(
            [
                "run", "--quiet", Repository.recipe("quickstart"), "--out", directory, "--images", "500", "--steps", "2",
                "--test_images", "300",
            ], patienceSeconds: Self.patienceSeconds)
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("Layer significance") && outcome.output.contains("Dense against compressed"))

        let report = try JSONValue.parse(try AtomicFile.read(directory + "/report.json"))
        let dense = try #require(report["dense"])
        for key in ["params", "macs", "bytes", "accuracy", "latency_ms"] { #expect(dense[key]?.number ?? 0 > 0, "\(key)") }
        #expect(dense["params"]?.integer == 269_434)
        #expect(report["scoring_seconds"]?.number ?? 0 > 0)
        let plans = try #require(report["plans"]?.array)
        #expect(plans.map { $0["keep"]?.number } == [0.60, 0.45, 0.30])
        for plan in plans {
            let keep = try #require(plan["keep"]?.number)
            #expect(plan["policy"]?.string == "barrier")
            #expect(Double(try #require(plan["params"]?.integer)) <= keep * 269_434)
            for key in ["macs", "bytes", "latency_ms"] { #expect(plan[key]?.number ?? 0 > 0, "\(key)") }
            for key in ["accuracy_cut", "accuracy_raw", "accuracy"] { #expect((0...1).contains(try #require(plan[key]?.number)), "\(key)") }
            let model = try ModelFile(path: "\(directory)/resnet20-keep\(Int((100 * keep).rounded())).safetensors")
            #expect(model.graph.parameters.trainableElementCount == plan["params"]?.integer)
            #expect(model.graph.nodes.contains { $0.origin?.layer == "stage3.block3.conv2" })
        }
        let chart = String(decoding: try AtomicFile.read(directory + "/significance.svg"), as: UTF8.self)
        #expect(chart.contains("stage3.block3.conv2"))
        let page = String(decoding: try AtomicFile.read(directory + "/report.html"), as: UTF8.self)
        #expect(page.hasPrefix("<!doctype html>") && page.contains("--test_images 300") && page.contains("keep 30 %"))
    }

    /// What was promised of the file that ships: its size, and its accuracy on all 10,000 test images.
    @Test func theShippedCheckpointIsAsGoodAsItSays() throws {
        #expect(try AtomicFile.size(Repository.checkpoint) < 1_200_000)
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let script = directory + "/evaluate.lua"
        try AtomicFile.write(
            script,
            text: """
                local mr = require "moonrail"
                local _, test = mr.data.fashion_mnist()
                local model = mr.load(arg[1])
                print(("%.4f %.4f"):format(model:evaluate(test).accuracy, model:note("recipe").accuracy))
                """)
        let outcome = try BuiltCommand.run(
            ["run", "--quiet", script, Repository.checkpoint], patienceSeconds: Self.patienceSeconds)
        let figures = outcome.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        try #require(figures.count == 2, "\(outcome.errors)")
        #expect(figures[0] >= 0.925)
        // Another processor rounds otherwise; a handful of images may fall on the other side.
        #expect(abs(figures[0] - figures[1]) < 0.002)
    }

    @Test func trainingRunsAndSaves() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let path = directory + "/net.safetensors"
        let outcome = try BuiltCommand.run(
            [
                "run", "--quiet", Repository.recipe("train_resnet20"), "--depth", "8", "--epochs", "1", "--images", "256",
                "--test_images", "100", "--out", path,
            ], patienceSeconds: Self.patienceSeconds)
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("on the 100 test images"))
        #expect(try ModelFile(path: path).graph.name == "resnet8")
    }
}
