import Basics
import CommandTesting
import Formats
import Testing

@Suite(.serialized) struct LeaderboardTests {
    private static func arguments(_ out: String) -> [String] {
        [
            "run", "--quiet", Repository.recipe("leaderboard"), "--quick", "true", "--keeps", "0.2", "--test_images", "200",
            "--bn_images", "128", "--fit_images", "64", "--out", out,
        ]
    }

    /// What was measured stands in the file, and a second start goes on from there.
    @Test func resultsAreKeptAndNotMeasuredTwice() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let path = directory + "/results.json"
        let first = try BuiltCommand.run(Self.arguments(path), patienceSeconds: 300)
        try #require(first.status == 0, "\(first.errors)")
        #expect(first.output.contains("4 of 4 points measured, 0 left") && first.output.contains("resnet20, formats auto: as cut"))
        let results = try JSONValue.parse(try AtomicFile.read(path))
        let points = try #require(results["points"]?.array)
        #expect(Set(points.compactMap { $0["policy"]?.string }) == ["uniform", "quadratic", "output", "portfolio"])
        let dense = try #require(results["dense"]?["resnet20"]?["params"]?.number)
        for point in points {
            for key in ["raw", "accuracy", "fitted"] { #expect((0...1).contains(try #require(point[key]?.number)), "\(key)") }
            #expect(try #require(point["params"]?.number) <= #require(point["keep"]?.number) * dense)
        }
        let bytes = try AtomicFile.read(path)
        let second = try BuiltCommand.run(Self.arguments(path), patienceSeconds: 60)
        #expect(second.status == 0 && second.output.contains("4 of 4 points measured"))
        #expect(try AtomicFile.read(path) == bytes)
    }

    /// Points of other settings are not mixed in.
    @Test func otherSettingsNeedAnotherFile() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let path = directory + "/results.json"
        try AtomicFile.write(path, text: #"{ "points": [], "dense": {}, "settings": { "test_images": 100 } }"#)
        let refused = try BuiltCommand.run(Self.arguments(path), patienceSeconds: 60)
        #expect(refused.status == 1 && refused.errors.contains("was measured with test_images = 100, not 200"), "\(refused.errors)")
        try AtomicFile.write(path, text: "{ broken")
        #expect(try BuiltCommand.run(Self.arguments(path), patienceSeconds: 60).status == 1)
        #expect(try AtomicFile.read(path) == Array("{ broken".utf8), "and what cannot be read is not written over")
    }

    /// Every layer's divergence grows with the square of the energy lost, more or less.
    @Test func theGrowthOfTheOutputsDivergence() throws {
        let outcome = try BuiltCommand.run(["run", "--quiet", Repository.recipe("output_growth"), "--images", "32"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let quartiles = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("exponent: quartiles") })
        let middle = try #require(quartiles.split(separator: " ").dropFirst(3).first.flatMap { Double($0.dropLast()) })
        #expect((1.5...2.5).contains(middle), "\(quartiles)")
    }

    /// The page shows what the file holds.
    @Test func thePageIsThatOfTheResults() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let (page, shipped) = (directory + "/page.md", Repository.root + "/Sources/Moonrail/Moonrail.docc/Leaderboard.md")
        try AtomicFile.write(page, text: String(decoding: try AtomicFile.read(shipped), as: UTF8.self))
        let made = try BuiltCommand.run(["run", "--quiet", Repository.recipe("leaderboard_tables"), "--page", page])
        try #require(made.status == 0, "\(made.errors)")
        #expect(try AtomicFile.read(page) == AtomicFile.read(shipped))
    }
}
