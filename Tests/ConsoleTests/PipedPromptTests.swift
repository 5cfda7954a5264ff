import CommandTesting
import Testing

@Suite struct PipedPromptTests {
    @Test func runsChunksOfStandardInput() throws {
        let outcome = try BuiltCommand.run(["repl"], input: "x = 6\nx * 7\nfor i = 1, 2 do\n  print(i)\nend\n'done';\n_\n")
        #expect(outcome.output == "42\n1\n2\n\"done\"\n")
        #expect(outcome.errors == "")
        #expect(outcome.status == 0)
    }

    @Test func goesOnAfterErrorsAndEndsWithStatusOne() throws {
        let outcome = try BuiltCommand.run([], input: "error('boom')\n1 + 1\n")
        #expect(outcome.output == "2\n")
        #expect(outcome.errors == "error: boom\n")
        #expect(outcome.status == 1)
    }

    @Test func inputThatEndsInTheMiddleIsAnError() throws {
        let outcome = try BuiltCommand.run(["repl"], input: "for i = 1, 2 do\n")
        #expect(outcome.errors.contains("'end' expected"))
        #expect(outcome.status == 1)
    }

    @Test func runsAScriptFirst() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let script = try Script("answer = 42", in: directory)
        let outcome = try BuiltCommand.run(["repl", script.path], input: "answer\n")
        #expect(outcome.output == "42\n")
    }
}
