import Basics
import CommandTesting
import Formats
import Testing

/// Mistakes from outside: one sentence with the place, exit status 1, nothing half-written.
@Suite(.serialized) struct BadInputTests {
    /// Runs the quickstart with `arguments`; gives the first line of what it says on standard error.
    private func complaint(_ arguments: [String], in directory: String) throws -> String {
        let outcome = try BuiltCommand.run(
            ["run", "--quiet", Repository.recipe("quickstart"), "--out", directory + "/out"] + arguments,
            patienceSeconds: QuickstartTests.patienceSeconds)
        #expect(outcome.status == 1)
        #expect(!AtomicFile.exists(directory + "/out"))
        return outcome.errors.split(separator: "\n").first.map(String.init) ?? ""
    }

    @Test func filesThatAreNotThereOrLie() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let good = try AtomicFile.read(Repository.checkpoint)
        func written(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
            let path = directory + "/" + name
            try AtomicFile.write(path) { append in try Array(bytes).withUnsafeBytes { try append($0) } }
            return path
        }
        let cut = try written("cut.safetensors", good.prefix(good.count / 2))
        #expect(try complaint(["--model", cut], in: directory).contains("cut.safetensors"))
        let text = try written("text.safetensors", "this is no model".utf8)
        #expect(try complaint(["--model", text], in: directory).contains("text.safetensors"))
        var lying = good
        lying[0] = 0xFF
        lying[6] = 0xFF
        #expect(try complaint(["--model", try written("lying.safetensors", lying)], in: directory).contains("header"))
        #expect(try complaint(["--model", directory + "/none"], in: directory).contains("cannot read \(directory)/none"))
        let bare = directory + "/bare.safetensors"
        try SafetensorsFile(tensors: []).write(to: bare)
        #expect(try complaint(["--model", bare], in: directory).contains("no model"))
    }

    @Test func dataThatIsNotThereOrCut() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        #expect(try complaint(["--data", directory], in: directory).contains("train-images-idx3-ubyte"))
        let images = directory + "/train-images-idx3-ubyte"
        try AtomicFile.write(images) { append in
            try ([0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3] as [UInt8]).withUnsafeBytes { try append($0) }
        }
        #expect(try complaint(["--data", directory], in: directory).contains("train-images-idx3-ubyte"))
    }

    @Test func optionsThatAreNone() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        #expect(try complaint(["--polcy", "lwiq"], in: directory).contains("did you mean --policy?"))
        #expect(try complaint(["--steps", "many"], in: directory).contains("must be a whole number, got 'many'"))
    }
}
