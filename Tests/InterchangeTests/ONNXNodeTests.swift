import Basics
import CommandTesting
import Execution
import Formats
import Foundation
import Graphs
import Interchange
import ONNXMessages
import Tensors
import Testing

/// ONNX's own tests for single operators.
@Suite(.serialized) struct ONNXNodeTests {
    /// The suite's own tolerance is 1e-3 relative; float32 in another order of summation needs far less.
    static let tolerance = 1e-4
    /// Values stay float32 where a file rounds them to float16 or bfloat16, of 8 significant bits.
    static let halfTolerance = 1.0 / 256

    /// What the operators may do but Moonrail does not read: such a model must be refused, with the reason.
    static let refused: [(words: [String], reason: String)] = [
        (["pool_3d", "transpose_3d", "Pool3d", "Conv3d", "BatchNorm3d"], "dimensions"),
        (["antialias"], "antialiasing"),
        (["cubic"], "mode 'cubic'"),
        (["tf_crop"], "coordinates 'tf_crop_and_resize'"),
        (["half_pixel_symmetric"], "coordinates 'half_pixel_symmetric'"),
        (["tf_half_pixel_for_nn"], "coordinates 'tf_half_pixel_for_nn'"),
        (["to_FLOAT8"], "casting to elements of type"),
        (["not_larger", "not_smaller"], "aspect ratio"),
        (["pool_2d_dilations", "MaxPool1d_stride_padding_dilation", "MaxPool2d_stride_padding_dilation"], "dilated windows"),
        (["maxpool_with_argmax"], "the positions of the maxima"),
        (["training_mode"], "statistics of the batch"),
        (["training_dropout_default", "training_dropout@", "training_dropout_mask"], "dropping at random"),
    ]

    /// The reference computes with a fraction of an element here; PyTorch and ONNX Runtime, like Moonrail, do not.
    static let disputed = ["resize_downsample_scales_linear_align_corners"]

    static func model(_ example: ONNXCase, keepsInput kept: Int?) throws -> Onnx_ModelProto {
        var model = try ONNXCoding.decode(example.model)
        // Means and deviations beside the result, or which elements were kept: nothing here makes them.
        if example.name.contains("layer_normalization") || example.name.contains("_mask") {
            model.graph.output = [model.graph.output[0]]
        }
        for (position, tensor) in example.inputs.enumerated() where position != kept {
            let name = model.graph.input[position].name
            model.graph.initializer.removeAll { $0.name == name }
            model.graph.initializer.append(try ONNXTensorWriter.message(of: tensor, name: name))
        }
        return model
    }

    /// With every input given, the importer works the results out.
    static func folded(_ example: ONNXCase) throws -> [Tensor] {
        var importer = try ONNXImporter(model(example, keepsInput: nil), source: example.name, directory: nil)
        try importer.read()
        return try importer.constantResults()
    }

    /// With the first input left open, there is a graph to run; not where the operator works across the first dimension.
    static func graph(_ example: ONNXCase) -> Graph? {
        guard let first = example.inputs.first, first.dtype == .float32, first.rank >= 1 else { return nil }
        guard var importer = try? ONNXImporter(model(example, keepsInput: 0), source: example.name, directory: nil) else { return nil }
        return try? {
            try importer.read(); return try importer.graph()
        }()
    }

    static func check(_ example: ONNXCase) throws -> (isRefused: Bool, runs: Bool) {
        if let rule = refused.first(where: { rule in rule.words.contains { (example.name + "@").contains($0) } }) {
            let failure = #expect(throws: InterchangeFailure.self, "\(example.name)") { try folded(example) }
            #expect(failure?.code == "interchange.unsupported" && failure?.description.contains(rule.reason) == true, "\(example.name): \(failure as Any)")
            return (true, false)
        }
        let tolerance = example.name.contains("FLOAT16") ? halfTolerance : tolerance
        do {
            let results = try folded(example)
            for (got, expected) in zip(results, example.outputs) {
                #expect(try difference(got, expected) < tolerance, "\(example.name), worked out")
            }
            #expect(!results.isEmpty)
        } catch {
            Issue.record("\(example.name): \(error)")
        }
        guard let graph = graph(example) else { return (false, false) }
        let results = try InferenceEngine(graph).run([example.inputs[0]])
        for (got, expected) in zip(results, example.outputs) {
            #expect(try difference(got, expected) < tolerance, "\(example.name), as a graph")
        }
        return (false, true)
    }

    @Test func operatorsAgreeWithTheStandard() throws {
        let cases = try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nodes.safetensors")
        let checked = try cases.filter { !Self.isDisputed($0) }.map(Self.check)
        #expect(cases.count == 1025)
        #expect(checked.filter(\.isRefused).count == 125)
        #expect(checked.filter(\.runs).count > 400)
    }

    /// Operators change from opset to opset.
    @Test func everyOpsetIsThere() throws {
        let cases = try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nodes.safetensors")
        let opsets = Set(try cases.compactMap { try ONNXCoding.decode($0.model).opsetImport.first?.version })
        #expect(Set(9...21).subtracting(opsets).isEmpty, "\(opsets.sorted())")
    }

    /// Cases have an opset behind their name where they are not of the newest.
    private static func isDisputed(_ example: ONNXCase) -> Bool {
        disputed.contains(String(example.name.prefix { $0 != "@" }))
    }

    /// Where the package is there, also the cases that are too large for the fixture.
    @Test(.enabled(if: Peer.onnx.isInstalled, "\(Peer.onnx.absence)")) func soDoAllCasesOfThePackage() throws {
        Peer.onnx.began()
        let path = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString).safetensors")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let made = try BuiltCommand.run(
            [ONNXCase.fixtures + "make_onnx_nodes.py", "--all", path], program: Peer.python, patienceSeconds: 300)
        try #require(made.status == 0, "\(made.errors)")
        let cases = try ONNXCase.all(in: path)
        #expect(cases.count > 100)
        for example in cases where !Self.isDisputed(example) { _ = try Self.check(example) }
    }
}
