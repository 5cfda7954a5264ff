import Basics
import CommandTesting
import Formats
import Testing

/// The recipe that trains networks of other kinds, on few images.
@Suite(.serialized) struct NetworksTests {
    /// By the formulas of their layers.
    private static let sizes = ["vgg": "211610", "mobilenet": "153706", "vit": "171914", "mlp": "276874"]

    private func train(_ folder: String, _ others: [String] = []) throws -> BuiltCommand.Outcome {
        try BuiltCommand.run(
            [
                "run", "--quiet", Repository.recipe("networks"), "--out", folder, "--seed", "3", "--images", "256", "--test_images", "64",
                "--epochs", "1",
            ] + others, patienceSeconds: 300)
    }

    @Test func everyNetworkIsTrainedOnceAndSaved() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let folder = directory + "/networks"
        let first = try train(folder)
        try #require(first.status == 0, "\(first.errors)")
        for (name, size) in Self.sizes {
            #expect(first.output.contains("\(name): \(size) parameters"), "\(name): \(first.output)")
            #expect(first.output.contains("\(name)-seed3.safetensors: "))
            let file = try SafetensorsFile(path: "\(folder)/\(name)-seed3.safetensors")
            #expect(!file.names.isEmpty)
        }
        let bytes = try AtomicFile.read(folder + "/mlp-seed3.safetensors")
        let second = try train(folder, ["--network", "mlp"])
        #expect(second.status == 0 && second.output.contains("mlp-seed3.safetensors is there already") && !second.output.contains("epoch"))
        #expect(try AtomicFile.read(folder + "/mlp-seed3.safetensors") == bytes)
    }

    @Test func unknownNetworksAreRefused() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let refused = try train(directory, ["--network", "resnet"])
        #expect(refused.status == 1 && refused.errors.contains("must be one of all, vgg, mobilenet, vit, mlp"), "\(refused.errors)")
    }
}
