import Basics
import COneDNN
import KernelChecks
import Tensors
import Testing

struct PoolingCase: CustomTestStringConvertible, Sendable {
    let input: Shape
    let window: [Int]
    let stride: [Int]
    let padding: [Int]
    var testDescription: String { "\(input) window \(window) stride \(stride) padding \(padding)" }
}

@MainActor @Suite struct PoolingTests {
    nonisolated static let chosen = [
        PoolingCase(input: [2, 16, 6, 6], window: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0]),
        PoolingCase(input: [2, 5, 7, 9], window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1]),
        PoolingCase(input: [1, 1, 5, 4], window: [2, 3], stride: [1, 1], padding: [0, 1, 1, 2]),
        PoolingCase(input: [3, 17, 5, 7], window: [2, 2], stride: [3, 2], padding: [0, 0, 0, 0]),
        PoolingCase(input: [1, 33, 4, 4], window: [4, 4], stride: [4, 4], padding: [0, 0, 0, 0]),
    ]

    /// Seeded random shapes on top of the chosen ones; strides may be larger than the window.
    nonisolated static let random: [PoolingCase] = {
        var source = RandomSource(seed: 31)
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &source) }
        return (0..<20).map { _ in
            let window = [pick(1...4), pick(1...4)]
            return PoolingCase(
                input: [pick(1...3), pick(1...37), window[0] + pick(0...7), window[1] + pick(0...7)], window: window,
                stride: [pick(1...5), pick(1...5)], padding: (0..<4).map { pick(0...window[$0 % 2] - 1) })
        }
    }()

    @Test(arguments: chosen + random, PoolingGeometry.Kind.allCases)
    func kernelEqualsTheLoops(_ c: PoolingCase, _ kind: PoolingGeometry.Kind) throws {
        try poisonFreedMemory()
        let geometry = PoolingGeometry(kind: kind, window: c.window, stride: c.stride, padding: c.padding)
        let output = try geometry.outputShape(input: c.input)
        let (x, dy) = (try sample(c.input), try sample(output, seed: 2))
        // Sample values differ, so every maximum is one element.
        let expected = try NaivePooling(geometry, input: c.input, output: output, x: doubles(x), dy: doubles(dy))
        let inference = try Pooling.forward(x, geometry, training: false)
        #expect(try relativeDistance(inference.y, expected.y) < elementTolerance)
        let (y, positions) = try Pooling.forward(x, geometry, training: true)
        #expect(y.shape == output)
        #expect(try relativeDistance(y, expected.y) < elementTolerance)
        #expect(try y.surplusLanes().allSatisfy { $0 == 0 })
        let dx = try Pooling.backward(dy, input: c.input, positions: positions, geometry)
        #expect(try relativeDistance(dx, expected.dx) < elementTolerance)
        #expect(try dx.surplusLanes().allSatisfy { $0 == 0 })
    }

    /// A kernel whose name begins with `ref` is oneDNN's unoptimised fallback.
    @Test(
        arguments: chosen + [
            PoolingCase(input: [128, 64, 112, 112], window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1]),
            PoolingCase(input: [1, 512, 2, 2], window: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0]),
            PoolingCase(input: [2, 2048, 7, 7], window: [7, 7], stride: [1, 1], padding: [0, 0, 0, 0]),
        ], PoolingGeometry.Kind.allCases)
    func noReferenceKernels(_ c: PoolingCase, _ kind: PoolingGeometry.Kind) throws {
        let geometry = PoolingGeometry(kind: kind, window: c.window, stride: c.stride, padding: c.padding)
        for pass in [cod_forward_inference, cod_forward_training, cod_backward_data] {
            let name = try Pooling.primitive(pass, c.input, geometry, .blocked).implementation
            #expect(!name.hasPrefix("ref"), "\(name)")
        }
    }

    @Test func misfitsAreExplained() {
        func shape(_ window: [Int], stride: [Int]? = nil, padding: [Int] = [0, 0, 0, 0], input: Shape = [1, 2, 4, 4]) throws {
            _ = try PoolingGeometry(kind: .max, window: window, stride: stride, padding: padding).outputShape(input: input)
        }
        expectFailure("tensor.shapeMismatch", "window [5, 5] is larger than the padded input [1, 2, 4, 4]") { try shape([5, 5]) }
        expectFailure("tensor.invalidArgument", "stride [0, 1]") { try shape([2, 2], stride: [0, 1]) }
        expectFailure("tensor.invalidArgument", "padding [2, 0, 0, 0]") { try shape([2, 2], padding: [2, 0, 0, 0]) }
        expectFailure("tensor.shapeMismatch", "needs an input [N, C, H, W], but got [2, 4]") { try shape([2, 2], input: [2, 4]) }
    }
}

@MainActor @Suite struct AdaptivePoolingTests {
    @Test(
        arguments: [
            ([2, 5, 7, 7], 3, 3), ([1, 17, 5, 5], 1, 1), ([3, 16, 8, 6], 4, 5), ([2, 33, 4, 9], 4, 2), ([1, 1, 1, 1], 1, 1),
        ] as [(Shape, Int, Int)], [ActivationFormat.plain, .blocked])
    func cellsAreMeans(_ c: (input: Shape, rows: Int, columns: Int), _ format: ActivationFormat) throws {
        let x = try sample(c.input)
        let values = try doubles(x)
        let (h, w) = (c.input[2], c.input[3])
        let dy = try sample([c.input[0], c.input[1], c.rows, c.columns], seed: 2)
        let upstream = try doubles(dy)
        var expected = [Double](repeating: 0, count: upstream.count)
        var gradient = [Double](repeating: 0, count: values.count)
        for at in expected.indices {
            let (plane, p, q) = (at / (c.rows * c.columns), at / c.columns % c.rows, at % c.columns)
            // Rows ⌊pH/P⌋ ..< ⌈(p+1)H/P⌉.
            let rows = p * h / c.rows..<((p + 1) * h + c.rows - 1) / c.rows
            let columns = q * w / c.columns..<((q + 1) * w + c.columns - 1) / c.columns
            for i in rows {
                for j in columns {
                    expected[at] += values[(plane * h + i) * w + j] / Double(rows.count * columns.count)
                    gradient[(plane * h + i) * w + j] += upstream[at] / Double(rows.count * columns.count)
                }
            }
        }
        let y = try AdaptivePooling.forward(x.inFormat(format), rows: c.rows, columns: c.columns)
        #expect(try relativeDistance(y, expected) < elementTolerance)
        #expect(try relativeDistance(AdaptivePooling.backward(dy, input: c.input), gradient) < elementTolerance)
    }

    @Test(arguments: [(0, 1), (5, 1), (1, 6)]) func impossibleCellsAreRefused(_ rows: Int, _ columns: Int) {
        expectFailure("tensor.shapeMismatch", "input [1, 2, 4, 5] cannot be pooled to \(rows)×\(columns)") {
            _ = try AdaptivePooling.forward(sample([1, 2, 4, 5]), rows: rows, columns: columns)
        }
    }
}
