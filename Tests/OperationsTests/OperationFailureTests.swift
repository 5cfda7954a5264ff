import Autograd
import Basics
import Operations
import Tensors
import Testing

@Suite(.serialized) struct OperationFailureTests {
    /// No operation takes no inputs or nine, but for the one that joins any number; both the shape rule and the tape refuse them.
    @Test(arguments: GradientCase.all) func wrongInputCountsAreRefused(_ example: GradientCase) throws {
        let inputs = try example.inputs()
        let tape = Tape()
        let wrongs =
            example.operation is Concatenate
            ? [[]] : [[], Array(inputs.dropLast()), inputs + inputs + [inputs[0]]]
        for wrong in wrongs where wrong.count != inputs.count {
            let failure = #expect(throws: OperationFailure.self) {
                try example.operation.outputShapes(of: wrong.map(\.shape))
            }
            #expect(failure?.code == "operation.inputCount")
            #expect(throws: OperationFailure.self) { try tape.apply(example.operation, wrong.map { tape.variable($0) }) }
        }
    }

    static let misfits: [(any GraphOperation, [Shape], String)] = [
        (Add(), [[2, 3], [2, 4]], "add: lhs [2, 3] and rhs [2, 4] do not broadcast (3 ≠ 4)"),
        (
            Conv2D(.init(), hasBias: false), [[1, 3, 4, 4], [2, 4, 3, 3]],
            "conv2d: input [1, 3, 4, 4] and weight [2, 4, 3, 3] disagree on the channels for 1 group(s)"
        ),
        (
            Conv2D(.init(), hasBias: false), [[1, 3, 2, 2], [2, 3, 3, 3]],
            "conv2d: kernel of weight [2, 3, 3, 3] is larger than the padded input [1, 3, 2, 2]"
        ),
        (Conv2D(.init(), hasBias: true), [[1, 3, 4, 4], [2, 3, 3, 3], [3]], "conv2d: bias [3] is not [2]"),
        (
            Conv2D(.init(), hasBias: false, addsResidual: true), [[1, 3, 4, 4], [2, 3, 3, 3], [1, 2, 1, 1]],
            "conv2d: residual [1, 2, 1, 1] is not the output [1, 2, 2, 2]"
        ),
        (Linear(hasBias: false), [[2, 3], [4, 5]], "linear: needs an input [N, …, I] and a weight [O, I], but got [2, 3] and [4, 5]"),
        (MatrixMultiply(), [[2, 3], [4, 5]], "matmul: lhs [2, 3] and rhs [4, 5] disagree on the inner dimension (3 ≠ 4)"),
        (Reshape(target: [4, -1]), [[2, 3]], "reshape: [2, 3] cannot become [4, -1]"),
        (Reshape(target: [-1, -1]), [[2, 3]], "reshape: [2, 3] cannot become [-1, -1]"),
        (Slice(dimension: 4), [[2, 3]], "slice: 0..<-1 by 1 does not fit dimension 4 of [2, 3]"),
        (GlobalAveragePool2D(), [[2, 3]], "adaptive_avg_pool2d: input [2, 3] cannot be pooled to 1×1"),
        (Flatten(), [[]], "flatten: a scalar has no batch dimension"),
        (CrossEntropy(), [[2, 3], [3]], "cross_entropy: needs logits [N, B] and labels [N], but got [2, 3] and [3]"),
        (KLDivergence(), [[2, 3], [3, 2]], "kl_divergence: needs two equal shapes [N, B], but got [2, 3] and [3, 2]"),
    ]

    @Test(arguments: misfits.indices) func shapesThatDoNotFitAreNamed(_ index: Int) throws {
        let (operation, shapes, message) = Self.misfits[index]
        do {
            _ = try operation.outputShapes(of: shapes)
            Issue.record("\(operation.name) took \(shapes)")
        } catch { #expect("\(error)" == message) }
    }

    /// Numbers from a file may be anything; arithmetic on them must not trap.
    static let absurd: [(any GraphOperation, [Shape])] = {
        let huge = Int.max
        let x: Shape = [1, 4, 8, 8]
        let w: Shape = [4, 4, 3, 3]
        func conv(_ geometry: ConvolutionGeometry) -> Conv2D { Conv2D(geometry, hasBias: false) }
        func pool(_ window: [Int], _ stride: [Int], _ padding: [Int]) -> Pool2D {
            Pool2D(.init(kind: .max, window: window, stride: stride, padding: padding))
        }
        return [
            (conv(.init(stride: [huge, 1])), [x, w]), (conv(.init(stride: [-1, 1])), [x, w]),
            (conv(.init(stride: [0, 0])), [x, w]), (conv(.init(padding: [huge, huge, huge, huge])), [x, w]),
            (conv(.init(padding: [-1, 0, 0, 0])), [x, w]), (conv(.init(dilation: [huge, huge])), [x, w]),
            (conv(.init(groups: huge)), [x, w]), (conv(.init(groups: 0)), [x, w]), (conv(.init(groups: -4)), [x, w]),
            (conv(.init(stride: [1])), [x, w]), (conv(.init(padding: [1, 1])), [x, w]),
            (conv(.init(groups: 1 << 40)), [x, [0, 1 << 40, 3, 3]]),
            (pool([huge, huge], [1, 1], [0, 0, 0, 0]), [x]), (pool([2, 2], [huge, 0], [0, 0, 0, 0]), [x]),
            (pool([2, 2], [1, 1], [huge, 0, 0, 0]), [x]), (pool([0, 2], [1, 1], [0, 0, 0, 0]), [x]),
            (pool([2], [1, 1], [0, 0, 0, 0]), [x]),
            (Reshape(target: [huge, huge, 4]), [x]), (Reshape(target: [huge, -1]), [x]), (Reshape(target: [-7, 4]), [x]),
            (Slice(dimension: huge), [x]), (Slice(dimension: 2, from: huge, to: .min), [x]),
            (Slice(dimension: 2, by: huge), [x]), (Slice(dimension: 2, by: 0), [x]), (Slice(dimension: 2, from: -1), [x]),
            (Slice(dimension: -1), [x]), (Slice(dimension: 2, to: huge), [x]),
            (Pad(dimension: 1, before: huge, after: huge), [x]), (Pad(dimension: 1, before: -1, after: 0), [x]),
            (Pad(dimension: 9, before: 0, after: 0), [x]),
            (SubsamplePad(stride: huge, before: huge, after: 0), [x]), (SubsamplePad(stride: 0, before: 0, after: 0), [x]),
            (SubsamplePad(stride: 2, before: -1, after: 0), [x]), (SubsamplePad(stride: 2, before: 0, after: 0), [[1, 4, 0, 8]]),
            (AdaptiveAveragePool2D(rows: huge, columns: huge), [x]), (AdaptiveAveragePool2D(rows: 0, columns: -1), [x]),
        ]
    }()

    @Test(arguments: absurd.indices) func absurdAttributesAreErrors(_ index: Int) {
        let (operation, shapes) = Self.absurd[index]
        do {
            let made = try operation.outputShapes(of: shapes)
            Issue.record("\(operation.name) \(operation.attributes.values) took \(shapes) and gave \(made)")
        } catch { #expect(error is any Failure) }
    }

    @Test func macCountsSaturate() {
        let vast: Shape = [1 << 19, 1 << 20]
        let macs = MatrixMultiply().macCount(inputs: [vast, [1 << 20, 1 << 19]], outputs: [[1 << 19, 1 << 19]])
        #expect(macs == Counts.limit)
        #expect(Counts.sum(macs, macs) == Counts.limit)
        #expect(Counts.product([3, 0, Int.max, Int.max]) == 0)
        #expect(Counts.product([3, 4]) == 12)
    }

    @Test(arguments: [(Int64(-1), 0), (3, 1), (Int64.max, 2)]) func labelsOutOfRangeAreNamed(label: Int64, position: Int) throws {
        var labels: [Int64] = [0, 1, 2]
        labels[position] = label
        let inputs = [try Tensor.zeros([3, 3]), try Tensor(labels)]
        let failure = #expect(throws: OperationFailure.self) { try CrossEntropy().evaluate(inputs, .inference) }
        #expect(failure?.description == "cross_entropy: label \(label) at position \(position) is out of range 0..<3")
        #expect(failure?.code == "operation.labelOutOfRange")
    }

    @Test func elementTypesAreChecked() throws {
        let whole = try Tensor.zeros([2, 2], dtype: .int64)
        let real = try Tensor.zeros([2, 2])
        #expect(throws: TensorFailure.self) { try CrossEntropy().evaluate([real, Tensor([Float](repeating: 0, count: 2))], .inference) }
        #expect(throws: TensorFailure.self) { try Add().evaluate([real, whole], .inference) }
        #expect(throws: TensorFailure.self) { try Linear(hasBias: false).evaluate([whole, whole], .inference) }
        let image = try Tensor.zeros([1, 2, 4, 4], dtype: .uint8)
        #expect(throws: TensorFailure.self) {
            try Conv2D(.init(), hasBias: false).evaluate([image, .zeros([2, 2, 3, 3])], .inference)
        }
        #expect(throws: TensorFailure.self) { try Pool2D(.init(kind: .max, window: [2, 2])).evaluate([image], .inference) }
        #expect(throws: TensorFailure.self) { try ReLU().evaluate([image], .inference) }
        #expect(throws: TensorFailure.self) { try GlobalAveragePool2D().evaluate([image], .inference) }
        #expect(throws: TensorFailure.self) { try SubsamplePad(stride: 2, before: 0, after: 0).evaluate([image], .inference) }
        #expect(throws: TensorFailure.self) {
            let c = try Tensor.zeros([2])
            _ = try BatchNorm().evaluate([image, c, c, c, c], .training)
        }
    }

    @Test func batchNormNeedsMoreThanOneValuePerChannel() throws {
        let vector = try Tensor.ones([2])
        let failure = #expect(throws: OperationFailure.self) {
            try BatchNorm().evaluate([.ones([1, 2, 1, 1]), vector, vector, vector, vector], .training)
        }
        #expect(failure?.description.contains("more than one value per channel, but got [1, 2, 1, 1]") == true)
    }
}
