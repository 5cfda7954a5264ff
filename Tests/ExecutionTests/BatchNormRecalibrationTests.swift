import Basics
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct BatchNormRecalibrationTests {
    static let tolerance: Float = 1e-5

    private func net() throws -> Graph {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [2, 1, 2])
        let y = try b.batchNorm("bn", x)
        return try b.finish(outputs: [y])
    }

    private func values(_ table: ParameterTable, _ name: String) throws -> [Float] {
        try #require(table[name]).tensor.array(of: Float.self)
    }

    /// Batch 1, channel 0: 1 3 5 7, channel 1: 0 0 2 2; batch 2 (one image), channel 0: 0 2, channel 1: 3 3. Of all six
    /// values of a channel: means 3 and 10/6, unbiased variances 34/5 and (26 − 100/6)/5.
    @Test func batchesArePooled() throws {
        let graph = try net()
        var estimator = try BatchNormRecalibration(graph)
        #expect(try values(estimator.estimated, "bn.running_mean") == [0, 0], "none added: those of the graph")
        try estimator.add([Tensor([1, 3, 0, 0, 5, 7, 2, 2] as [Float], shape: [2, 2, 1, 2])])
        try estimator.add([Tensor([0, 2, 3, 3] as [Float], shape: [1, 2, 1, 2])])
        let means = try values(estimator.estimated, "bn.running_mean")
        let variances = try values(estimator.estimated, "bn.running_var")
        for (got, expected) in zip(means, [3, 10.0 / 6].map(Float.init)) { #expect(abs(got - expected) < Self.tolerance) }
        for (got, expected) in zip(variances, [34.0 / 5, (26 - 100.0 / 6) / 5].map(Float.init)) {
            #expect(abs(got - expected) < Self.tolerance)
        }
        #expect(try values(graph.parameters, "bn.running_mean") == [0, 0], "the graph is untouched")
        #expect(estimator.estimated.trainableNames == ["bn.weight", "bn.bias"])
    }

    /// Three of six images were seen, whose first channel has mean 3 and variance 34/5; the graph's 0 and 1 count as those of
    /// the other three.
    @Test func oldStatisticsStandInForMissingImages() throws {
        var estimator = try BatchNormRecalibration(net())
        try estimator.add([Tensor([1, 3, 0, 0, 5, 7, 2, 2] as [Float], shape: [2, 2, 1, 2])])
        try estimator.add([Tensor([0, 2, 3, 3] as [Float], shape: [1, 2, 1, 2])])
        let mixed = try estimator.estimated(fromAtLeast: 6)
        #expect(try abs(values(mixed, "bn.running_mean")[0] - 1.5) < Self.tolerance)
        #expect(try abs(values(mixed, "bn.running_var")[0] - (34.0 / 10 + 0.5 + 9.0 / 4)) < Self.tolerance)
        let enough = try estimator.estimated(fromAtLeast: 3)
        #expect(try values(enough, "bn.running_mean") == values(estimator.estimated, "bn.running_mean"))
    }

    /// A convolution that doubles its images moves their mean of 4 by 4 and multiplies their variance by 4, whatever the old
    /// statistics are; an equal model moves nothing.
    @Test func matchedStatisticsMoveAsTheModelDoes() throws {
        func doubling(_ factor: Float) throws -> Graph {
            var b = GraphBuilder(name: "net", seed: 1)
            let y = try b.convolution("conv", b.input("images", [1, 1, 2]), channels: 1, kernel: [1, 1], geometry: .init())
            let norm = try b.batchNorm("bn", y)
            var graph = try b.finish(outputs: [norm])
            graph.parameters.update("conv.weight", try Tensor([factor], shape: [1, 1, 1, 1]))
            graph.parameters.update("bn.running_mean", try Tensor([10] as [Float]))
            graph.parameters.update("bn.running_var", try Tensor([7] as [Float]))
            return graph
        }
        let images = try Tensor([1, 3, 5, 7] as [Float], shape: [2, 1, 1, 2])
        var (dense, changed, equal) = try (
            BatchNormRecalibration(doubling(1)), BatchNormRecalibration(doubling(2)), BatchNormRecalibration(doubling(1))
        )
        for _ in 0..<2 {
            try dense.add([images])
            try changed.add([images])
            try equal.add([images])
        }
        let moved = try changed.matched(to: dense)
        #expect(try abs(values(moved, "bn.running_mean")[0] - 14) < Self.tolerance)
        #expect(try abs(values(moved, "bn.running_var")[0] - 28) < 4 * Self.tolerance)
        let same = try equal.matched(to: dense)
        #expect(try values(same, "bn.running_mean") == [10] && values(same, "bn.running_var") == [7])
    }

    /// Behind dropout the statistics are those of inference, and its passes are not counted.
    @Test func nothingIsDropped() throws {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [2, 1, 2])
        let dropped = try b.dropout("dropout", x, probability: 0.9)
        let norm = try b.batchNorm("bn", dropped)
        let graph = try b.finish(outputs: [norm])
        var estimator = try BatchNormRecalibration(graph)
        try estimator.add([Tensor([1, 3, 0, 0, 5, 7, 2, 2] as [Float], shape: [2, 2, 1, 2])])
        for (got, expected) in zip(try values(estimator.estimated, "bn.running_mean"), [4, 1] as [Float]) {
            #expect(abs(got - expected) < Self.tolerance)
        }
        #expect(try values(estimator.estimated, "dropout.count") == [0])
    }

    @Test func aStopAddsNothing() throws {
        var estimator = try BatchNormRecalibration(net())
        let batch = try Tensor([0, 2, 3, 3] as [Float], shape: [1, 2, 1, 2])
        try estimator.add([batch])
        Cancellation.request()
        defer { Cancellation.clear() }
        #expect(throws: Interrupted.self) { try estimator.add([batch]) }
        Cancellation.clear()
        try estimator.add([Tensor([2, 4, 1, 1] as [Float], shape: [1, 2, 1, 2])])
        #expect(try values(estimator.estimated, "bn.running_mean") == [2, 2], "the batch that was stopped counts for nothing")
    }

    /// 129 images in batches of 128 and 1, of 3, or all at once, far from zero and brighter one after the other.
    @Test func cutsIntoBatchesDoNotMatter() throws {
        var random = RandomSource(seed: 6)
        let levels = try Tensor((0..<129).map { Float(1000 + $0) }, shape: [129, 1, 1, 1])
        let images = try Tensor.normal([129, 2, 1, 2], using: &random).adding(levels)
        func estimate(_ sizes: [Int]) throws -> [Float] {
            var (estimator, start) = (try BatchNormRecalibration(net()), 0)
            for size in sizes {
                try estimator.add([images.sliced(dim: 0, from: start, to: start + size).contiguous()])
                start += size
            }
            #expect(start == 129)
            return try values(estimator.estimated, "bn.running_mean") + values(estimator.estimated, "bn.running_var")
        }
        let elements = try images.permuted([1, 0, 2, 3]).contiguous().array(of: Float.self).map(Double.init)
        let rows = [elements[..<258], elements[258...]]
        let means = rows.map { $0.reduce(0, +) / 258 }
        let right = means + zip(rows, means).map { row, mean in row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 257 }
        for sizes in [[129], [128, 1], [Int](repeating: 3, count: 43)] {
            for (got, expected) in zip(try estimate(sizes), right) { #expect(abs(Double(got) / expected - 1) < 1e-5, "\(sizes.count) batches") }
        }
    }
}
