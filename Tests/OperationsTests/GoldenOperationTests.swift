import Formats
import Operations
import Tensors
import Testing

/// Values and gradients of single operations against PyTorch's; `Fixtures/make_operations.py` made them.
@Suite(.serialized) struct GoldenOperationTests {
    /// Both compute in float32, and sum up to a few hundred products in another order.
    static let tolerance = 1e-5

    struct Golden {
        let file: SafetensorsFile
        let attributes: JSONObject

        init() throws {
            let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
            file = try SafetensorsFile(path: "/\(tests)/Fixtures/operations.safetensors")
            attributes = try #require(try JSONValue.parse(text: file.metadata["attributes"] ?? "", source: "attributes").object)
        }
    }

    /// Our operation, and the names of its inputs in the file; those after the first `differentiable` have no gradient.
    private func operation(_ a: JSONObject) throws -> (any GraphOperation, inputs: [String], differentiable: Int, isTraining: Bool) {
        func ints(_ key: String) -> [Int] { a[key]?.array?.compactMap(\.integer) ?? [] }
        func number(_ key: String) throws -> Double { try #require(a[key]?.number) }
        func pool(_ kind: PoolingGeometry.Kind) -> Pool2D {
            Pool2D(.init(kind: kind, window: ints("window"), stride: ints("stride"), padding: ints("padding")))
        }
        let name = try #require(a["operation"]?.string)
        switch name {
        case "conv2d":
            let geometry = ConvolutionGeometry(
                stride: ints("stride"), padding: ints("padding"), dilation: ints("dilation"),
                groups: try #require(a["groups"]?.integer))
            return (Conv2D(geometry, hasBias: true), ["x", "w", "b"], 3, true)
        case "max_pool2d": return (pool(.max), ["x"], 1, true)
        case "avg_pool2d":
            return (pool(a["count_include_pad"]?.bool == true ? .averageWithPadding : .average), ["x"], 1, true)
        case "adaptive_avg_pool2d":
            return (AdaptiveAveragePool2D(rows: ints("output")[0], columns: ints("output")[1]), ["x"], 1, true)
        case "log_softmax": return (LogSoftmax(), ["x"], 1, true)
        case "cross_entropy": return (CrossEntropy(smoothing: try number("label_smoothing")), ["x", "labels"], 1, true)
        case "kl_div": return (KLDivergence(temperature: try number("temperature")), ["x", "teacher"], 1, true)
        case "batch_norm":
            let norm = BatchNorm(epsilon: try number("epsilon"), momentum: try number("momentum"))
            return (norm, ["x", "w", "b", "mean", "variance"], 3, a["training"]?.bool == true)
        default:
            Issue.record("no operation for '\(name)'")
            return (ReLU(), ["x"], 1, true)
        }
    }

    @Test func everyOperationAgreesWithPyTorch() throws {
        let golden = try Golden()
        #expect(golden.attributes.count >= 23)
        for (name, value) in golden.attributes.members {
            var (operation, names, differentiable, isTraining) = try operation(#require(value.object))
            if let conv = operation as? Conv2D, golden.file["\(name)/b"] == nil {
                (operation, names, differentiable) = (Conv2D(conv.geometry, hasBias: false), ["x", "w"], 2)
            }
            func tensor(_ key: String) throws -> Tensor { try #require(golden.file["\(name)/\(key)"], "\(name)/\(key)") }
            let inputs = try names.map(tensor)
            let result = try operation.evaluate(inputs, EvaluationMode(isTraining: isTraining, recordsGradient: true))
            func expect(_ got: Tensor?, _ key: String) throws {
                var got = try #require(got, "\(name)/\(key)")
                if got.rank == 0 { got = try got.reshaped([1]) }
                #expect(try relativeDifference(got, tensor(key)) < Self.tolerance, "\(name)/\(key)")
            }
            try expect(result.outputs[0], "y")
            let dy = try tensor("dy")
            let upstream = result.outputs[0].rank == 0 ? try dy.reshaped([]) : dy
            let gradients = try #require(try result.gradients(from: upstream, needed: names.map { _ in true }))
            for (key, gradient) in zip(names, gradients).prefix(differentiable) { try expect(gradient, "d" + key) }
            for update in result.stateUpdates { try expect(update.value, names[update.input] + "_after") }
        }
    }
}
