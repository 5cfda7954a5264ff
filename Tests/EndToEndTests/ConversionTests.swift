import Basics
import CommandTesting
import Formats
import Graphs
import Interchange
import Testing

/// `info`, `convert` and `compress`, and ONNX in scripts.
@Suite(.serialized) struct ConversionTests {
    private func inDirectory(_ body: (String) throws -> Void) throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try body(directory)
    }

    @Test func aModelGoesToONNXIsCompressedAndComesBack() throws {
        try inDirectory { directory in
            let (whole, small, back) = (directory + "/whole.onnx", directory + "/small.onnx", directory + "/back.safetensors")
            #expect(try BuiltCommand.run(["convert", Repository.checkpoint, whole]).status == 0)
            let dense = try ModelFile.read(whole)
            #expect(dense.graph.parameters.trainableElementCount == 269_434)
            #expect(dense.notes["recipe"] != nil)

            let compressed = try BuiltCommand.run(["compress", whole, "--keep", "0.4", "--out", small, "--quiet"], patienceSeconds: 120)
            try #require(compressed.status == 0, "\(compressed.errors)")
            #expect(compressed.output.contains("stage3.block3.conv2"))
            let model = try ModelFile.read(small)
            let count = model.graph.parameters.trainableElementCount
            #expect(Double(count) <= 0.4 * 269_434 && Double(count) > 0.38 * 269_434)
            #expect(model.notes["plan"]?["policy"]?.string == "barrier")

            #expect(try BuiltCommand.run(["convert", small, back]).status == 0)
            #expect(try ModelFile(path: back).graph.parameters.trainableElementCount == count)
        }
    }

    /// Of 8 images held out one makes a row of not-a-numbers in both networks, and that is no agreement.
    @Test func notANumberAgreesWithNothing() throws {
        try inDirectory { directory in
            let (whole, data, small) = (directory + "/whole.onnx", directory + "/data.npz", directory + "/small.onnx")
            try AtomicFile.write(
                directory + "/make.lua",
                text: """
                    local mr = require "moonrail"
                    mr.seed(1)
                    mr.zoo.mlp { image = { 1, 6, 6 }, hidden = { 40 }, classes = 4 }:save(arg[1])
                    local images = mr.arange(80):to "float32":reshape(80, 1, 1, 1) + mr.zeros(80, 1, 6, 6)
                    mr.write_npz(arg[2], { images = images })
                    -- The numbers of the images tell which are held out.
                    local test = mr.data.npz(arg[2], { labels = false }):divide(8)
                    local held = math.tointeger(test.images[1][1][1][1])
                    local list = mr.randn(80, 1, 6, 6):totable()
                    list[36 * held] = 0 / 0
                    mr.write_npz(arg[2], { images = mr.tensor(list):reshape(80, 1, 6, 6) })
                    """)
            let made = try BuiltCommand.run(["run", directory + "/make.lua", whole, data])
            try #require(made.status == 0, "\(made.errors)")
            let outcome = try BuiltCommand.run(
                ["compress", whole, "--data", data, "--unlabelled", "--mean", "0", "--std", "1", "--keep", "1", "--out", small, "--quiet"],
                patienceSeconds: 120)
            try #require(outcome.status == 0, "\(outcome.errors)")
            let agreement = try #require(ModelFile.read(small).notes["agreement"]?.number)
            #expect(agreement == 0.875, "\(agreement)")
        }
    }

    /// Scoring, repair, tuning and report on an .npz file, whose layers are those of an ONNX file.
    @Test func compressionWithDataRepairsTunesAndReports() throws {
        try inDirectory { directory in
            let (whole, data, small) = (directory + "/whole.onnx", directory + "/data.npz", directory + "/small.onnx")
            let script = directory + "/make.lua"
            try AtomicFile.write(
                script,
                text: """
                    local mr = require "moonrail"
                    mr.seed(1)
                    mr.zoo.resnet { depth = 8, image = { 1, 12, 12 }, classes = 4 }:save(arg[1])
                    local labels = {}
                    for i = 1, 80 do labels[i] = i % 4 end
                    mr.write_npz(arg[2], { images = mr.randn(80, 1, 12, 12), labels = mr.tensor(labels, { dtype = "int64" }) })
                    """)
            let made = try BuiltCommand.run(["run", script, whole, data])
            try #require(made.status == 0, "\(made.errors)")
            let outcome = try BuiltCommand.run(
                ["compress", whole, "--data", data, "--keep", "0.5", "--tune", "3", "--out", small, "--quiet"], patienceSeconds: 120)
            try #require(outcome.status == 0, "\(outcome.errors)")
            for text in [
                " policy: keeps", " plans by its divergence of ", "dense", "compressed", "accuracy on 8 images held out: ", "tune  ", "judged on 18 others",
                "wrote \(small)",
            ] { #expect(outcome.output.contains(text), "\(text)") }
            let model = try ModelFile.read(small)
            #expect(model.notes["plan"]?["policy"]?.string != nil && model.notes["accuracy"]?.number != nil)

            let arguments = ["compress", whole, "--keep", "0.5", "--out", small, "--quiet", "--force"]
            let existing = try BuiltCommand.run(Array(arguments.dropLast()))
            #expect(existing.status == 1 && existing.errors.contains("it is there already"), "\(existing.errors)")
            let scored = try BuiltCommand.run(arguments + ["--data", data, "--policy", "lwiq"], patienceSeconds: 120)
            #expect(scored.status == 0 && scored.output.contains("lwiq policy: keeps"), "\(scored.errors)")
            let blind = try BuiltCommand.run(arguments + ["--data", data, "--unlabelled", "--whiten", "--tune", "3"], patienceSeconds: 120)
            #expect(blind.status == 0 && blind.output.contains("agreement with the dense model on 8 images held out"), "\(blind.errors)")
            #expect(try ModelFile.read(small).notes["agreement"]?.number != nil && ModelFile.read(small).notes["accuracy"] == nil)
            let refused = try BuiltCommand.run(arguments + ["--data", data, "--unlabelled", "--policy", "proxy"])
            #expect(refused.status == 1 && refused.errors.contains("the policy proxy needs labels"), "\(refused.errors)")

            let unscored = try BuiltCommand.run(["compress", whole, "--policy", "lwiq", "--keep", "0.5", "--out", small, "--force"])
            #expect(unscored.status == 1 && unscored.errors.contains("give --data"), "\(unscored.errors)")
            let elsewhere = try BuiltCommand.run(["compress", whole, "--data", "/nonexistent", "--keep", "0.5", "--out", small, "--force"])
            #expect(elsewhere.status == 1 && elsewhere.errors.contains("'/nonexistent' is neither"), "\(elsewhere.errors)")
        }
    }

    /// A folder of pictures without classes is enough for planning, repair and tuning.
    @Test func picturesWithoutLabelsRepair() throws {
        try inDirectory { directory in
            let (whole, small, script) = (directory + "/whole.onnx", directory + "/small.onnx", directory + "/make.lua")
            try AtomicFile.write(
                script,
                text: """
                    local mr = require "moonrail"
                    mr.seed(1)
                    mr.zoo.resnet { depth = 8, image = { 3, 16, 16 }, classes = 4 }:save(arg[1])
                    """)
            #expect(try BuiltCommand.run(["run", script, whole]).status == 0)
            let pictures = try temporaryDirectory()
            defer { removeDirectory(pictures) }
            let picture = try AtomicFile.read(Repository.root + "/Tests/Fixtures/picture.png")
            for index in 0..<20 {
                try AtomicFile.write("\(pictures)/\(index).png") { append in try picture.withUnsafeBytes { try append($0) } }
            }
            let outcome = try BuiltCommand.run(
                ["compress", whole, "--data", pictures, "--keep", "0.5", "--out", small, "--quiet"], patienceSeconds: 120)
            #expect(outcome.status == 0 && outcome.output.contains("agreement with the dense model on 2 images"), "\(outcome.errors)")
        }
    }

    @Test func aModelIsExportedForPyTorch() throws {
        try inDirectory { directory in
            let outcome = try BuiltCommand.run(["export", "--torch", Repository.checkpoint, "--out", directory])
            #expect(outcome.output == "wrote \(directory)/resnet20.py and \(directory)/resnet20.weights.safetensors\n", "\(outcome.errors)")
            #expect(AtomicFile.exists(directory + "/resnet20.py") && AtomicFile.exists(directory + "/resnet20.weights.safetensors"))
        }
    }

    @Test func infoShowsLayersAndWhatCanBeDecomposed() throws {
        let outcome = try BuiltCommand.run(["info", Repository.checkpoint])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("inputs   images [N, 1, 28, 28]") && outcome.output.contains("269,434 parameters"))
        let rows = outcome.output.split(separator: "\n")
        #expect(rows.contains { $0.hasPrefix("stage1.block1.conv1") && $0.hasSuffix("yes") })
        #expect(rows.contains { $0.hasPrefix("fc") && $0.contains("no: classifier") })
    }

    @Test func infoShowsWhatItCanOfAFileItCannotRun() throws {
        try inDirectory { directory in
            let path = directory + "/whole.onnx"
            #expect(try BuiltCommand.run(["convert", Repository.checkpoint, path]).status == 0)
            // The operators' names are written out in the file; this one becomes one that nobody knows.
            var bytes = try AtomicFile.read(path)
            let name = Array("GlobalAveragePool".utf8)
            let position = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
            bytes[position] = UInt8(ascii: "X")
            try AtomicFile.write(path) { append in try bytes.withUnsafeBytes { try append($0) } }
            let outcome = try BuiltCommand.run(["info", path])
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("the operator XlobalAveragePool of opset 17 is not supported"))
            #expect(outcome.output.contains("ONNX, IR 8, opset 17, by moonrail") && outcome.output.contains("stage3.block3.conv2"))
            let load = try BuiltCommand.run(["convert", path, directory + "/x.safetensors"])
            #expect(load.status == 1 && load.errors.hasPrefix("error: \(path): node"))
        }
    }

    @Test func scriptsLoadAndSaveByEnding() throws {
        try inDirectory { directory in
            let script = directory + "/round.lua"
            try AtomicFile.write(
                script,
                text: """
                    local mr = require "moonrail"
                    mr.seed(1)
                    local model = mr.zoo.resnet { depth = 8, image = { 1, 12, 12 } }
                    model:note("accuracy", 0.5)
                    model:save(arg[1])
                    local again = mr.load(arg[1])
                    local x = mr.randn(3, 1, 12, 12)
                    print(again:note("accuracy"), (again(x) - model(x)):abs():max() < 1e-4)
                    """)
            let outcome = try BuiltCommand.run(["run", script, directory + "/model.onnx"])
            #expect(outcome.output == "0.5\ttrue\n", "\(outcome.errors)")
        }
    }

    @Test(arguments: [
        ["export", "--state-dict", "a.onnx", "--out", "b.py"], ["convert", "a.onnx"], ["convert", "a.onnx", "b.png"],
        ["compress", "a.onnx", "--keep", "2", "--out", "b.onnx"],
        ["compress", "a.onnx", "--keep", "0.5", "--out", "b"], ["info"],
        ["compress", "a.onnx", "--keep", "0.5", "--tune", "5", "--out", "b.onnx"],
        ["compress", "a.onnx", "--keep", "0.5", "--data", "d", "--lr", "0.1", "--out", "b.onnx"],
        ["compress", "a.onnx", "--keep", "0.5", "--data", "d", "--tune", "5", "--lr", "0", "--out", "b.onnx"],
        ["compress", "a.onnx", "--keep", "0.5", "--unlabelled", "--out", "b.onnx"], ["export", "a.onnx", "--out", "b.py"],
    ])
    func wrongCommandLinesEndWithStatusTwo(arguments: [String]) throws {
        let outcome = try BuiltCommand.run(arguments)
        #expect(outcome.status == 2 && outcome.errors.contains("Usage:"))
    }

    @Test(arguments: [["info", "/nonexistent.onnx"], ["convert", "/nonexistent.safetensors", "/tmp/x.onnx"]])
    func missingFilesAreOneSentence(arguments: [String]) throws {
        let outcome = try BuiltCommand.run(arguments)
        #expect(outcome.status == 1 && outcome.errors.hasPrefix("error: cannot read /nonexistent"))
    }
}
