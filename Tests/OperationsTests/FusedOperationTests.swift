import Autograd
import Operations
import Tensors
import Testing

@Suite(.serialized) struct FusedOperationTests {
    /// Fused and separate kernels round at different places.
    static let tolerance = 1e-5

    private func expectEqual(_ fused: Traced, _ separate: Traced, _ comment: String) throws {
        #expect(try relativeDifference(fused.value, separate.value) < Self.tolerance, "\(comment): value")
        try #require(fused.gradients.count == separate.gradients.count)
        for (i, (a, b)) in zip(fused.gradients, separate.gradients).enumerated() {
            #expect(try relativeDifference(a, b) < Self.tolerance, "\(comment): gradient \(i)")
        }
    }

    @Test(arguments: [(false, false, true), (true, false, true), (false, true, false), (true, true, false), (true, true, true)])
    func convolutionWithBiasResidualAndReLU(hasBias: Bool, addsResidual: Bool, hasReLU: Bool) throws {
        let geometry = ConvolutionGeometry(stride: 2, padding: 1)
        var inputs = [try Samples.normal([2, 3, 6, 6], seed: 1), try Samples.normal([5, 3, 3, 3], seed: 2)]
        if hasBias { inputs.append(try Samples.normal([5], seed: 3)) }
        if addsResidual { inputs.append(try Samples.normal([2, 5, 3, 3], seed: 4)) }
        let fused = try Traced(inputs) { tape, v in
            try tape.apply(Conv2D(geometry, hasBias: hasBias, addsResidual: addsResidual, hasReLU: hasReLU), v)[0]
        }
        let separate = try Traced(inputs) { tape, v in
            var y = try tape.apply(Conv2D(geometry, hasBias: false), [v[0], v[1]])[0]
            if hasBias { y = try tape.apply(Add(), [y, tape.apply(Reshape(target: [1, 5, 1, 1]), [v[2]])[0]])[0] }
            if addsResidual { y = try tape.apply(Add(), [y, v[v.count - 1]])[0] }
            return hasReLU ? try tape.apply(ReLU(), [y])[0] : y
        }
        try expectEqual(fused, separate, "bias \(hasBias), residual \(addsResidual), relu \(hasReLU)")
    }

    @Test(arguments: [true, false], [true, false])
    func batchNormWithResidualAndReLU(isTraining: Bool, addsResidual: Bool) throws {
        var inputs = [
            try Samples.normal([4, 9, 3, 3], seed: 1), try Samples.normal([9], seed: 2), try Samples.normal([9], seed: 3),
            try Samples.normal([9], seed: 4), try Samples.uniform([9], low: 0.5, high: 2, seed: 5),
        ]
        if addsResidual { inputs.append(try Samples.normal([4, 9, 3, 3], seed: 6)) }
        let requires = [true, true, true, false, false] + (addsResidual ? [true] : [])
        let fused = try Traced(inputs, requires: requires) { tape, v in
            try tape.apply(BatchNorm(addsResidual: addsResidual, hasReLU: true), v, isTraining: isTraining)[0]
        }
        let separate = try Traced(inputs, requires: requires) { tape, v in
            var y = try tape.apply(BatchNorm(), Array(v[..<5]), isTraining: isTraining)[0]
            if addsResidual { y = try tape.apply(Add(), [y, v[5]])[0] }
            return try tape.apply(ReLU(), [y])[0]
        }
        try expectEqual(fused, separate, "training \(isTraining), residual \(addsResidual)")
    }

    @Test(arguments: [[2, 5, 3, 3], [1, 5, 1, 1], [3]] as [Shape]) func addWithReLU(other: Shape) throws {
        let inputs = [try Samples.normal([2, 5, 3, 3], seed: 1), try Samples.normal(other, seed: 2)]
        let fused = try Traced(inputs) { try $0.apply(Add(hasReLU: true), $1)[0] }
        let separate = try Traced(inputs) { try $0.apply(ReLU(), $0.apply(Add(), $1))[0] }
        try expectEqual(fused, separate, "\(other)")
    }

    @Test func addWithReLUOnBlockedActivations() throws {
        // Both summands come out of convolutions, so they lie blocked.
        let inputs = [try Samples.normal([2, 3, 5, 5], seed: 1), try Samples.normal([17, 3, 3, 3], seed: 2)]
        func build(_ fused: Bool) throws -> Traced {
            try Traced(inputs) { tape, v in
                let conv = Conv2D(.init(stride: 1, padding: 1), hasBias: false)
                let (a, b) = (try tape.apply(conv, v)[0], try tape.apply(conv, v)[0])
                return fused ? try tape.apply(Add(hasReLU: true), [a, b])[0] : try tape.apply(ReLU(), tape.apply(Add(), [a, b]))[0]
            }
        }
        try expectEqual(build(true), build(false), "blocked")
    }

    @Test(arguments: [(16, 2, 8, 8), (5, 2, 2, 3), (17, 3, 0, 4), (3, 1, 0, 0)])
    func subsamplePadIsTwoSlicesAndAPad(channels: Int, stride: Int, before: Int, after: Int) throws {
        let inputs = [try Samples.normal([2, channels, 7, 6], seed: 1)]
        let fused = try Traced(inputs) { try $0.apply(SubsamplePad(stride: stride, before: before, after: after), $1)[0] }
        let separate = try Traced(inputs) { tape, v in
            let rows = try tape.apply(Slice(dimension: 2, by: stride), v)
            let columns = try tape.apply(Slice(dimension: 3, by: stride), rows)
            return try tape.apply(Pad(dimension: 1, before: before, after: after), columns)[0]
        }
        try expectEqual(fused, separate, "\(channels) channels")
    }

    @Test func globalPoolingIsAdaptivePoolingToOne() throws {
        let inputs = [try Samples.normal([2, 17, 5, 4], seed: 1)]
        let global = try Traced(inputs) { try $0.apply(GlobalAveragePool2D(), $1)[0] }
        let adaptive = try Traced(inputs) { try $0.apply(AdaptiveAveragePool2D(rows: 1, columns: 1), $1)[0] }
        let mean = try Traced(inputs) { tape, v in
            try tape.apply(Pool2D(.init(kind: .average, window: [5, 4])), v)[0]
        }
        try expectEqual(global, adaptive, "adaptive")
        try expectEqual(global, mean, "window")
    }
}
