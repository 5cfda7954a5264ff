import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct CIFARResNetTests {
    /// Parameters and multiply-accumulates by hand: a 3×3 stem, n blocks of two convolutions in each of three stages
    /// at H, H/2, H/4, batch norms of two numbers per channel, one linear layer; shortcuts are free.
    private func byHand(blocks: Int, channels: Int, height: Int, width: Int, classes: Int) -> (parameters: Int, macs: Int) {
        var (parameters, macs) = (0, 0)
        var (h, w) = (height, width)
        func convolution(_ from: Int, _ to: Int) {
            parameters += from * to * 9 + 2 * to
            macs += from * to * 9 * h * w
        }
        convolution(channels, 16)
        var from = 16
        for to in [16, 32, 64] {
            if to > 16 { (h, w) = ((h + 1) / 2, (w + 1) / 2) }
            for _ in 0..<blocks {
                convolution(from, to)
                convolution(to, to)
                from = to
            }
        }
        return (parameters + 64 * classes + classes, macs + 64 * classes)
    }

    /// ResNet-20 and ResNet-56: the counts that are known of them (269,722 and 853,018; 40.55 M and 125.49 M).
    static let known: [(depth: Int, shape: Shape, classes: Int, parameters: Int?, macs: Int?)] = [
        (20, [3, 32, 32], 10, 269_722, 40_551_040), (56, [3, 32, 32], 10, 853_018, 125_485_696),
        (8, [1, 28, 28], 10, nil, nil), (14, [3, 33, 35], 100, nil, nil),
    ]

    @Test(arguments: known) func costsAreExact(_ row: (depth: Int, shape: Shape, classes: Int, parameters: Int?, macs: Int?)) throws {
        let graph = try CIFARResNet(depth: row.depth, imageShape: row.shape, classCount: row.classes).build(seed: 1)
        let cost = try CostModel.cost(of: graph)
        let expected = byHand(
            blocks: (row.depth - 2) / 6, channels: row.shape[0], height: row.shape[1], width: row.shape[2], classes: row.classes)
        #expect(cost.parameterCount == expected.parameters)
        #expect(cost.macCount == expected.macs)
        if let parameters = row.parameters { #expect(cost.parameterCount == parameters) }
        if let macs = row.macs { #expect(cost.macCount == macs) }
        let rows = try CostModel.nodeCosts(of: graph)
        #expect(rows.reduce(0) { $0 + $1.parameterCount } == cost.parameterCount)
        #expect(rows.reduce(0) { $0 + $1.macCount } == cost.macCount)
        #expect(try ShapeInference.shapes(of: graph, batch: 3)[graph.outputs[0]] == [3, row.classes])
    }

    @Test(arguments: [.min, -4, 0, 2, 7, 9, 10, 19, 21, 1203, 1208, .max]) func depthsThatAreNone(depth: Int) {
        let failure = #expect(throws: GraphFailure.self) { try CIFARResNet(depth: depth).build(seed: 1) }
        #expect(failure?.code == "graph.invalidArchitecture" && failure?.description.contains("\(depth)") == true)
    }

    @Test(arguments: [[3, 32], [3, 3, 32], [0, 32, 32], [3, 32, -1], [1, 3, 32, 32]] as [Shape])
    func imagesThatAreNone(shape: Shape) {
        let failure = #expect(throws: GraphFailure.self) { try CIFARResNet(depth: 8, imageShape: shape).build(seed: 1) }
        #expect(failure?.code == "graph.invalidArchitecture")
    }

    @Test func vastImagesAndClassesAreErrors() {
        #expect(throws: (any Error).self) { try CIFARResNet(depth: 8, imageShape: [3, 1 << 40, 1 << 40]).build(seed: 1) }
        #expect(throws: (any Error).self) { try CIFARResNet(depth: 8, imageShape: [1 << 60, 8, 8]).build(seed: 1) }
        #expect(throws: (any Error).self) { try CIFARResNet(depth: 8, classCount: 1 << 60).build(seed: 1) }
        #expect(throws: GraphFailure.self) { try CIFARResNet(depth: 8, classCount: 1).build(seed: 1) }
    }

    @Test func oneSeedGivesOneModel() throws {
        func weights(_ seed: UInt64) throws -> [Float] {
            let graph = try CIFARResNet(depth: 8).build(seed: seed)
            return try graph.parameters.names.flatMap { try #require(graph.parameters[$0]).tensor.array(of: Float.self) }
        }
        #expect(try weights(3) == weights(3))
        #expect(try weights(3) != weights(4))
    }
}
