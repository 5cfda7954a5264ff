import Graphs
import Interchange
import ONNXMessages
import Operations
import Tensors

/// Small models made message by message, and graphs to export.
enum ONNXSamples {
    static let transformer = VisionTransformer(imageShape: [2, 8, 12], classCount: 5, patch: 4, width: 12, depth: 2, heads: 3)

    static func input(_ name: String, _ dims: [Int?], type: Int32 = 1) -> Onnx_ValueInfoProto {
        var tensor = Onnx_TypeProto.Tensor()
        tensor.elemType = type
        tensor.shape.dim = dims.map { extent in
            var dim = Onnx_TensorShapeProto.Dimension()
            dim.value = extent.map { .dimValue(Int64($0)) } ?? .dimParam("n")
            return dim
        }
        var information = Onnx_ValueInfoProto()
        information.name = name
        information.type.value = .tensorType(tensor)
        return information
    }

    static func node(
        _ type: String, _ inputs: [String], _ outputs: [String], ints: [String: [Int]] = [:], numbers: [String: Int] = [:]
    ) -> Onnx_NodeProto {
        var node = Onnx_NodeProto()
        node.opType = type
        node.name = "the " + type
        node.input = inputs
        node.output = outputs
        for (name, values) in ints.sorted(by: { $0.key < $1.key }) {
            var attribute = Onnx_AttributeProto()
            (attribute.name, attribute.type, attribute.ints) = (name, .ints, values.map { Int64($0) })
            node.attribute.append(attribute)
        }
        for (name, value) in numbers.sorted(by: { $0.key < $1.key }) {
            var attribute = Onnx_AttributeProto()
            (attribute.name, attribute.type, attribute.i) = (name, .int, Int64(value))
            node.attribute.append(attribute)
        }
        return node
    }

    static func model(
        _ nodes: [Onnx_NodeProto], inputs: [Onnx_ValueInfoProto] = [input("x", [nil, 3, 8, 8])],
        weights: [(String, Tensor)] = [], outputs: [String] = ["y"], opset: Int64 = 17
    ) throws -> Onnx_ModelProto {
        var model = Onnx_ModelProto()
        model.irVersion = 8
        var imported = Onnx_OperatorSetIdProto()
        imported.version = opset
        model.opsetImport = [imported]
        model.graph.name = "sample"
        model.graph.node = nodes
        model.graph.input = inputs
        model.graph.initializer = try weights.map { try ONNXTensorWriter.message(of: $1, name: $0) }
        model.graph.output = outputs.map { name in
            var information = Onnx_ValueInfoProto()
            information.name = name
            return information
        }
        return model
    }

    /// A convolution, a normalisation and a classifier.
    static func classifier() throws -> Onnx_ModelProto {
        try model(
            [
                node("Conv", ["x", "conv.weight"], ["a"], ints: ["pads": [1, 1, 1, 1]]),
                node("BatchNormalization", ["a", "bn.weight", "bn.bias", "bn.mean", "bn.var"], ["b"]),
                node("Relu", ["b"], ["c"]), node("GlobalAveragePool", ["c"], ["d"]),
                node("Flatten", ["d"], ["e"]), node("Gemm", ["e", "fc.weight", "fc.bias"], ["y"], numbers: ["transB": 1]),
            ],
            weights: [
                ("conv.weight", .ones([4, 3, 3, 3])), ("bn.weight", .ones([4])), ("bn.bias", .zeros([4])),
                ("bn.mean", .zeros([4])), ("bn.var", .ones([4])), ("fc.weight", .ones([5, 4])), ("fc.bias", .zeros([5])),
            ])
    }

    /// Every operation that can be exported.
    static func everything() throws -> Graph {
        var b = GraphBuilder(name: "everything", seed: 12)
        let x = b.input("images", [4, 8, 6])
        let conv = try b.convolution("conv", x, channels: 6, kernel: [3, 3], geometry: .init(stride: 1, padding: 1, groups: 2), hasBias: true)
        let norm = try b.batchNorm("bn", conv)
        var y = try b.apply("relu", ReLU(), norm)
        let curves: [any GraphOperation] = [
            Sigmoid(), Tanh(), GELU(), GELU(isApproximate: true), LeakyReLU(slope: 0.2), HardSigmoid(alpha: 0.2, beta: 0.5),
            HardSwish(), SiLU(), Clip(low: -0.5, high: 2), ErrorFunction(), Scale(factor: 3), Trunc(), Softmax(), LogSoftmax(),
            Flatten(), Transpose(order: [0, 3, 1, 2]), ReduceMean(dimensions: [1, 3], keepsDimensions: false),
            ReduceSum(dimensions: [1, 2], keepsDimensions: true),
            GlobalAveragePool2D(), AdaptiveAveragePool2D(rows: 2, columns: 3), SubsamplePad(stride: 2, before: 1, after: 2),
            Pad(dimension: 2, before: 1, after: 0), Slice(dimension: 3, from: 1, to: -2, by: 2), Reshape(target: [0, -1, 6]),
            Pool2D(.init(kind: .max, window: [3, 2], stride: [2, 2], padding: [1, 0, 1, 1])),
            Pool2D(.init(kind: .average, window: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1])),
            Pool2D(.init(kind: .averageWithPadding, window: [2, 2], padding: [0, 0, 1, 1])),
            Resize(dimension: 2, size: 13, scale: 13.0 / 8, interpolation: .linear, coordinates: .halfPixel),
            Resize(dimension: 3, size: 12, scale: 2, interpolation: .nearest, coordinates: .asymmetric, rounding: .floor),
            // 6 · 1.6666666 rounds to 10 in float32, but not in double: such go by their sizes.
            Resize(dimension: 3, size: 10, scale: 10.0 / 6, interpolation: .linear, coordinates: .pytorchHalfPixel),
        ]
        // Activations that need no attributes of their own here.
        let names = Set(curves.map(\.name))
        let others = OperationCatalog.elementFunctions.filter { $0.traits.finishesLayer && !names.contains($0.name) }
        var outputs: [String] = []
        for (index, operation) in (curves + others.map { $0.usual }).enumerated() {
            outputs.append(try b.apply("\(operation.name)\(index)", operation, y))
        }
        let slopes = b.parameter("slopes", try Tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6] as [Float], shape: [6, 1, 1]))
        outputs.append(try b.add("prelu", PReLU(), [.value(y), slopes]))
        let positive = try b.add("positive", Add(hasReLU: true), [.value(y), b.parameter("one", .ones([1]))])
        outputs.append(try b.apply("sqrt", SquareRoot(), positive))
        outputs.append(try b.apply("log", Logarithm(), try b.apply("exp", Exponential(), try b.apply("abs", Abs(), y))))
        outputs.append(try b.add("power", Power(), [.value(positive), b.parameter("exponent", .full([], 1.5))]))
        outputs.append(try b.apply("quotient", Divide(), y, positive))
        let halves = try b.apply("difference", Subtract(), y, positive)
        outputs.append(try b.apply("concat", Concatenate(dimension: 1), halves, try b.apply("product", Multiply(), y, positive)))
        outputs.append(
            try b.add(
                "up", ConvTranspose2D(.init(stride: 2, padding: 1), outputPadding: [1, 0], hasBias: true),
                [.value(y), b.parameter("up.weight", .full([6, 2, 3, 3], 0.1)), b.parameter("up.bias", .ones([2]))]))
        let rows = try b.apply("rows", Reshape(target: [0, 6, 48]), y)
        let token = try b.add("token", Expand(target: [0, 1, 48], borrowsBatch: true), [b.parameter("class", .full([1, 1, 48], 0.5)), .value(y)])
        let words = try b.apply("words", Concatenate(dimension: 1), token, rows)
        let layerNorm = try b.add("ln", LayerNorm(), [.value(words), b.parameter("ln.weight", .full([48], 1.5)), b.parameter("ln.bias", .ones([48]))])
        let linear = try b.linear("sequence", layerNorm, features: 5)
        outputs.append(linear)
        outputs.append(try b.apply("scores", MatrixMultiply(), layerNorm, try b.apply("turned", Transpose(order: [0, 2, 1]), layerNorm)))
        outputs.append(try b.add("picked", Gather(dimension: 1), [.value(linear), b.parameter("places", try Tensor([2, 0] as [Float]), isTrainable: false)]))
        outputs.append(try b.apply("wide", Expand(target: [0, 6, 4, 48]), try b.apply("thin", Reshape(target: [0, 6, 1, 48]), rows)))
        y = try b.apply("flat", Flatten(), y)
        outputs.append(try b.linear("fc", y, features: 5))
        return try b.finish(outputs: outputs)
    }
}
