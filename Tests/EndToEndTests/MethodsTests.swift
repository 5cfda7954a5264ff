import Basics
import CommandTesting
import Formats
import Glibc
import Testing

/// The comparison with other people's methods, with a shell script in the place of Python that gives models a test made.
@Suite(.serialized) struct MethodsTests {
    /// A folder with `small.onnx`, the shipped model with 40 % of its parameters, and `python`, which gives it for every point but
    /// those of `alds`, which it says it cannot reach. The dense network comes back as Moonrail wrote it.
    private func folder() throws -> String {
        let directory = try temporaryDirectory()
        let script = directory + "/make.lua"
        try AtomicFile.write(
            script,
            text: """
                local mr = require "moonrail"
                local model = mr.load(arg[1])
                model:compress(mr.plan(model, { budget = { params = 0.4 }, formats = "C·Kh·Kw|O" })):save(arg[2] .. "/small.onnx")
                print(mr.json(model.cost))
                """)
        let made = try BuiltCommand.run(["run", "--quiet", script, Repository.checkpoint, directory])
        try #require(made.status == 0, "\(made.errors)")
        let cost = try JSONValue.parse(Array(made.output.utf8))
        let (params, macs) = (try #require(cost["params"]?.integer), try #require(cost["macs"]?.integer))
        try AtomicFile.write(
            directory + "/python",
            text: """
                #!/bin/sh
                out=\(directory)/out/resnet20-fashion
                case "$*" in
                -c*torch_pruning*) echo torch_pruning ;;
                -c*) ;;
                */methods/check.py*) echo checked ;;
                */methods/cut.py*--method\\ dense*)
                    cp $out/dense.onnx $out/dense.torch.onnx
                    echo '{"file":"'$out'/dense.torch.onnx","params":\(params),"macs":\(macs)}' ;;
                */methods/cut.py*--method\\ alds*) echo '{"least":0.31}' ;;
                */methods/cut.py*)
                    cp \(directory)/small.onnx $out/made.onnx
                    echo '{"file":"'$out'/made.onnx","params":1,"macs":1,"seconds":2}' ;;
                *) exit 3 ;;
                esac
                """)
        try #require(chmod(directory + "/python", 0o755) == 0)
        return directory
    }

    private func methods(_ directory: String, _ arguments: [String]) throws -> BuiltCommand.Outcome {
        let common = ["--python", directory + "/python", "--out", directory + "/out", "--rounds", "0", "--images", "64", "--test_images", "200"]
        return try BuiltCommand.run(
            ["run", "--quiet", Repository.recipe("methods")] + common + arguments, patienceSeconds: QuickstartTests.patienceSeconds)
    }

    private func rows(_ outcome: BuiltCommand.Outcome) throws -> [JSONValue] {
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
    }

    @Test func modelsOfOthersAreMeasuredByUs() throws {
        let directory = try folder()
        defer { removeTree(directory) }
        let outcome = try methods(
            directory, ["--methods", "svd,alds,pruning", "--keeps", "0.45", "--budgets", "params", "--json"])
        let rows = try rows(outcome)
        #expect(rows.map { $0["method"]?.string } == ["svd", "alds"])
        #expect(outcome.errors.contains("Torch-Pruning is left out") && outcome.errors.contains("pip install torch-pruning"))
        let share = try #require(rows[0]["params_share"]?.number)
        #expect(0.39 < share && share <= 0.4 && rows[0]["keep"]?.number == 0.45 && rows[0]["seconds"]?.number == 2)
        for key in ["cut", "repaired", "macs_share", "bytes_share", "dense_accuracy"] {
            #expect((0.1...1).contains(try #require(rows[0][key]?.number)), "\(key)")
        }
        // Re-estimation mends what the cut did to the statistics.
        #expect(rows[0]["repaired"]?.number ?? 0 > rows[0]["cut"]?.number ?? 1)
        #expect(rows[1]["cut"] == nil && rows[1]["note"]?.string == "does not fit: at least 31.0 %")
    }

    /// A budget counts for everybody, whatever a program says that it made.
    @Test func whatIsAboveItsBudgetStopsTheComparison() throws {
        let directory = try folder()
        defer { removeTree(directory) }
        let outcome = try methods(directory, ["--methods", "svd", "--keeps", "0.3", "--budgets", "params"])
        #expect(outcome.status == 1 && outcome.errors.contains("keeps 0.39") && outcome.errors.contains("0.3000 were allowed"))
    }

    /// Without any Python there is Moonrail, in a table.
    @Test func oursNeedsNoPython() throws {
        let directory = try temporaryDirectory()
        defer { removeTree(directory) }
        let (script, model) = (directory + "/make.lua", directory + "/small.safetensors")
        try AtomicFile.write(script, text: "require 'moonrail'.zoo.resnet { depth = 8, image = { 1, 28, 28 } }:save(arg[1])")
        try #require(try BuiltCommand.run(["run", "--quiet", script, model]).status == 0)
        let outcome = try methods(directory, ["--methods", "moonrail,cp", "--keeps", "0.45", "--budgets", "macs", "--models", model])
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("CP, TensorLy is left out") && outcome.errors.contains("is no Python that runs"))
        #expect(outcome.output.contains("at equal multiply-accumulates") && outcome.output.contains("| 45 | Moonrail |"))
    }

    @Test(arguments: [
        (["--budgets", "flops"], "--budgets has 'flops'; there are params, macs and bytes"),
        (["--keeps", "1.5"], "--keeps has 1.5; a share between 0 and 1 is kept"),
        (["--methods", "balv"], "--methods has 'balv'; there are moonrail, svd, balf"),
    ])
    func unknownWordsAreNamed(options: [String], says: String) throws {
        let outcome = try methods("/nowhere", options)
        #expect(outcome.status == 1 && outcome.errors.contains(says), "\(outcome.errors)")
    }

    /// The share of the parameters that goes with a share of a file's bytes, by numbers made up here.
    @Test func bytesBecomeParameters() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let script = directory + "/share.lua"
        try AtomicFile.write(
            script,
            text: """
                package.path = "\(Repository.root)/scripts/recipes/?.lua;" .. package.path
                local theirs = require "methods.theirs"
                local dense = { bytes = 5000, cost = { params = 1000 } }
                -- A file of 300 parameters had 600 bytes beside them, so 2,000 bytes hold 350, less a little.
                local share = theirs.share_for_bytes(0.4, dense, 300, 1800)
                assert(share <= 0.35 and share > 0.349, share)
                assert(theirs.share_for_bytes(0.1, dense, 300, 1800) < 0)
                assert(theirs.pip_line { "torch_pruning", "onnx" } == "python3 -m venv DIR && DIR/bin/pip install torch-pruning onnx")
                for _, method in ipairs(theirs.list) do assert(method.name and method.title and method.needs) end
                print "right"
                """)
        let outcome = try BuiltCommand.run(["run", "--quiet", script])
        #expect(outcome.status == 0 && outcome.output == "right\n", "\(outcome.errors)")
    }

    /// The programs' own check, on a small network with every kind of layer that they cut.
    @Test(.enabled(if: Peer.pyTorch.isInstalled, "\(Peer.pyTorch.absence)")) func theMethodsDoWhatTheySay() throws {
        Peer.pyTorch.began()
        let outcome = try BuiltCommand.run(
            // Idle threads of PyTorch spin, which takes long where other programs are at work.
            [Repository.root + "/scripts/peers/methods/check.py", "--threads", "1"], program: Peer.python,
            patienceSeconds: QuickstartTests.patienceSeconds)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        for name in ["svd", "balf", "alds", "tucker"] {
            #expect(outcome.output.contains("right  \(name): at full rank") && outcome.output.contains("right  \(name): macs within 0.4"))
        }
        #expect(!outcome.output.contains("WRONG"))
    }
}
