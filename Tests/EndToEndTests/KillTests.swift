import Basics
import CommandTesting
import Testing

/// Processes that are killed while they save, a thousand here and ten thousand by `scripts/kills`.
@Suite(.serialized) struct KillTests {
    private static func kills(_ count: Int, of kinds: String) throws -> BuiltCommand.Outcome {
        try BuiltCommand.run(
            [kinds, "--seed", "1", "--count", "\(count)"], program: try BuiltCommand.path("KillProgram"), patienceSeconds: 300)
    }

    @Test func aKilledSaveLeavesTheOldFileOrTheNewOne() throws {
        let outcome = try Self.kills(1000, of: Repository.root + "/Tests/KillProgram/kinds.lua")
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("1000 kills of seed 1 over 15 kinds of files, 0 broke one"), "\(outcome.output)")
        // The moments lie within saves, or nothing would be left that the next save has to remove.
        #expect(!outcome.output.contains(" 0 left a temporary file"), "\(outcome.output)")
    }

    /// Lua's own `io` writes in place, which has to be noticed.
    @Test func aFileWrittenInPlaceIsNoticed() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try AtomicFile.write(
            directory + "/kinds.lua",
            text: """
                return { { name = "torn", versions = 2, save = function(version)
                    local file <close> = io.open("torn.txt", "w")
                    for _ = 1, 50 * version do file:write(("x"):rep(1000)) end
                end } }
                """)
        let outcome = try Self.kills(20, of: directory + "/kinds.lua")
        #expect(outcome.status == 1 && outcome.output.contains("is neither the old file nor the new one"), "\(outcome.output)")
    }
}
