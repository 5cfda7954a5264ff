import Operations
import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Results against naive loops and closed forms.
@Suite(.serialized) struct ValueTests {
    /// Kernels sum in float32 and in another order than the loops do.
    static let kernelTolerance = 1e-5
    /// Closed forms computed in double precision against float32 results.
    static let lossTolerance = 1e-6

    private func evaluate(_ operation: any GraphOperation, _ inputs: [Tensor]) throws -> Tensor {
        try operation.evaluate(inputs, .inference).outputs[0].contiguous()
    }

    @Test(arguments: GradientCase.convolutions) func convolutionEqualsLoops(_ example: GradientCase) throws {
        let conv = try #require(example.operation as? Conv2D)
        let inputs = try example.inputs()
        let y = try evaluate(conv, inputs)
        #expect(try relativeDifference(y, naive(conv, inputs)) < Self.kernelTolerance)
    }

    private func naive(_ conv: Conv2D, _ inputs: [Tensor]) throws -> Tensor {
        let g = conv.geometry
        let (xs, ws) = (inputs[0].shape, inputs[1].shape)
        let shape = try conv.outputShapes(of: inputs.map(\.shape))[0]
        let (x, w) = (try inputs[0].array(of: Float.self), try inputs[1].array(of: Float.self))
        let bias = conv.hasBias ? try inputs[2].array(of: Float.self) : nil
        let residual = conv.addsResidual ? try inputs[inputs.count - 1].array(of: Float.self) : nil
        var y: [Float] = []
        let perGroup = ws[0] / g.groups
        for n in 0..<shape[0] {
            for o in 0..<shape[1] {
                for p in 0..<shape[2] {
                    for q in 0..<shape[3] {
                        var sum = Double(bias?[o] ?? 0) + Double(residual?[y.count] ?? 0)
                        for c in 0..<ws[1] {
                            for i in 0..<ws[2] {
                                for j in 0..<ws[3] {
                                    let row = p * g.stride[0] - g.padding[0] + i * g.dilation[0]
                                    let column = q * g.stride[1] - g.padding[1] + j * g.dilation[1]
                                    guard (0..<xs[2]).contains(row), (0..<xs[3]).contains(column) else { continue }
                                    let channel = o / perGroup * ws[1] + c
                                    sum +=
                                        Double(x[((n * xs[1] + channel) * xs[2] + row) * xs[3] + column])
                                        * Double(w[((o * ws[1] + c) * ws[2] + i) * ws[3] + j])
                                }
                            }
                        }
                        y.append(Float(conv.hasReLU ? max(sum, 0) : sum))
                    }
                }
            }
        }
        return try Tensor(y, shape: shape)
    }

    @Test(arguments: PoolingGeometry.Kind.allCases) func poolingEqualsLoops(_ kind: PoolingGeometry.Kind) throws {
        let g = PoolingGeometry(kind: kind, window: [3, 2], stride: [2, 1], padding: [1, 1, 2, 0])
        let x = try Samples.normal([2, 3, 5, 6], seed: 5)
        let shape = try g.outputShape(input: x.shape)
        let values = try x.array(of: Float.self)
        var expected: [Float] = []
        for plane in 0..<6 {
            for p in 0..<shape[2] {
                for q in 0..<shape[3] {
                    var seen: [Float] = []
                    for i in 0..<3 {
                        for j in 0..<2 {
                            let (row, column) = (p * 2 - 1 + i, q - 1 + j)
                            guard (0..<5).contains(row), (0..<6).contains(column) else { continue }
                            seen.append(values[(plane * 5 + row) * 6 + column])
                        }
                    }
                    let value: Float =
                        switch kind {
                        case .max: seen.max() ?? -.infinity
                        case .average: seen.reduce(0, +) / Float(seen.count)
                        case .averageWithPadding: seen.reduce(0, +) / 6
                        }
                    expected.append(value)
                }
            }
        }
        #expect(try relativeDifference(evaluate(Pool2D(g), [x]), Tensor(expected, shape: shape)) < Self.kernelTolerance)
    }

    @Test func batchNormNormalisesAndProposesStatistics() throws {
        let x = try Tensor([1, 2, 3, 4, 10, 10, 30, 30] as [Float], shape: [1, 2, 2, 2])
        let vector = { (a: Float, b: Float) in try Tensor([a, b]) }
        let inputs = [x, try vector(2, 1), try vector(0.5, -1), try vector(1, 1), try vector(1, 2)]
        let result = try BatchNorm(epsilon: 0.75, momentum: 0.5).evaluate(inputs, .training)
        // Channel 0: mean 2.5, biased variance 1.25, unbiased 5/3; channel 1: mean 20, biased 100, unbiased 400/3.
        let first = [1, 2, 3, 4].map { Float(2 * ($0 - 2.5) / 2.0.squareRoot() + 0.5) }
        let second = [10, 10, 30, 30].map { Float(($0 - 20) / 100.75.squareRoot() - 1) }
        #expect(try relativeDifference(result.outputs[0], Tensor(first + second, shape: x.shape)) < Self.kernelTolerance)
        #expect(result.stateUpdates.map(\.input) == [3, 4])
        #expect(try relativeDifference(result.stateUpdates[0].value, vector(1.75, 10.5)) < Self.kernelTolerance)
        let variance = try vector(Float(0.5 + 2.5 / 3), Float(1 + 200.0 / 3))
        #expect(try relativeDifference(result.stateUpdates[1].value, variance) < Self.kernelTolerance)
    }

    @Test func crossEntropyIsTheClosedForm() throws {
        let rows: [[Double]] = [[1, 2, 3], [-1, 0.5, 4]]
        let logits = try Tensor(rows.flatMap { $0 }.map(Float.init), shape: [2, 3])
        let labels = try Tensor([Int64]([2, 0]))
        for smoothing in [0, 0.3] {
            let expected = zip(rows, [2, 0]).reduce(0.0) { sum, row in
                let normaliser = log(row.0.reduce(0) { $0 + exp($1) })
                let perClass = row.0.enumerated().reduce(0.0) { total, logit in
                    let target = (logit.offset == row.1 ? 1 - smoothing : 0) + smoothing / 3
                    return total - target * (logit.element - normaliser)
                }
                return sum + perClass / 2
            }
            let loss = try evaluate(CrossEntropy(smoothing: smoothing), [logits, labels]).scalar()
            #expect(abs(loss - expected) < Self.lossTolerance * 10, "smoothing \(smoothing)")
        }
    }

    @Test func losesNothingToLargeLogits() throws {
        let logits = try Tensor([1000, -1000] as [Float], shape: [1, 2])
        let loss = try evaluate(CrossEntropy(), [logits, Tensor([Int64(1)])]).scalar()
        #expect(loss == 2000)
    }

    @Test func klDivergenceIsZeroForEqualsAndTheClosedFormElse() throws {
        let teacher = try Tensor([1, 2, 0] as [Float], shape: [1, 3])
        #expect(abs(try evaluate(KLDivergence(temperature: 3), [teacher, teacher]).scalar()) < Self.lossTolerance)
        let student = try Tensor([0, 0, 0] as [Float], shape: [1, 3])
        let scaled = [0.5, 1, 0]
        let normaliser = log(scaled.reduce(0) { $0 + exp($1) })
        let expected = 4 * scaled.reduce(0) { $0 + exp($1 - normaliser) * ($1 - normaliser + log(3)) }
        let loss = try evaluate(KLDivergence(temperature: 2), [student, teacher]).scalar()
        #expect(abs(loss - expected) < Self.lossTolerance * 10)
    }

    @Test func adaptivePoolingAveragesItsCells() throws {
        let x = try Tensor((0..<5).map(Float.init), shape: [1, 1, 1, 5])
        let y = try evaluate(AdaptiveAveragePool2D(rows: 1, columns: 2), [x])
        #expect(try y.array(of: Float.self) == [1, 3])  // cells 0…2 and 2…4
    }
}
