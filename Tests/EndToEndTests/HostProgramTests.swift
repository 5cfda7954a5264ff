import Basics
import CommandTesting
import Testing

/// The toolkit inside another program.
@Suite(.serialized) struct HostProgramTests {
    @Test func aHostHasItsOwnFunctionsTypesAndLimits() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let outcome = try BuiltCommand.run([directory], program: try BuiltCommand.path("HostProgram"), patienceSeconds: 120)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            outcome.output == """
                ["SUNRISE"]
                first: Album of 1 pictures\t1\t154
                second: nil\t7
                refused: lua.argument
                refused: lua.instructionLimit
                refused: lua.memory
                refused: lua.unknownGlobal

                """)
        #expect(AtomicFile.exists(directory + "/model.safetensors"))
    }

    /// What the README shows of it is there, line by line.
    @Test func theReadmeShowsIt() throws {
        func text(_ path: String) throws -> String {
            String(decoding: try AtomicFile.read(Repository.root + "/" + path), as: UTF8.self)
        }
        let program = try text("Tests/HostProgram/main.swift")
        let blocks = try text("README.md").split(separator: "```swift\n").dropFirst().compactMap { $0.split(separator: "```").first }
        let shown = try #require(blocks.first { $0.contains("LuaClass<") })
        for line in shown.split(separator: "\n") where !line.hasPrefix("//") {
            #expect(program.contains(line.trimmed), "the program has no line: \(line)")
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring { drop { $0 == " " } }
}
