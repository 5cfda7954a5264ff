import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct CostModelTests {
    /// images 128 B → a 128 → b 128 → c = a + b 128: while c is made, a and b are alive and the images are not.
    @Test func peakActivationsOfADiamond() throws {
        let cost = try CostModel.cost(of: GraphSamples.diamond())
        #expect(cost.peakActivationByteCount == 3 * 128)
        #expect(cost.parameterCount == 0 && cost.macCount == 0 && cost.byteCount == 0)
    }

    /// A chain holds two values at a time; the wide one in the middle sets the peak.
    @Test func peakActivationsOfAChain() throws {
        let graph = Graph(
            name: "chain", inputs: [GraphInput(name: "x", sampleShape: [4])],
            nodes: [
                Node("wide", Pad(dimension: 1, before: 0, after: 12), [.value("x")]),  // 16 + 64
                Node("wider", Pad(dimension: 1, before: 0, after: 16), [.value("wide")]),  // 64 + 128
                Node("narrow", Slice(dimension: 1, to: 2), [.value("wider")]),  // 128 + 8
                Node("end", ReLU(), [.value("narrow")]),
            ], outputs: ["end"])
        #expect(try CostModel.cost(of: graph).peakActivationByteCount == 192)
    }

    @Test func runningStatisticsAreBytesButNoParameters() throws {
        var builder = GraphBuilder(name: "norm", seed: 1)
        let x = builder.input("images", [3, 2, 2])
        let y = try builder.batchNorm("bn", x)
        let cost = try CostModel.cost(of: builder.finish(outputs: [y]))
        #expect(cost.parameterCount == 6 && cost.byteCount == 48)
    }

    @Test func livenessEndsWithTheLastReader() {
        let graph = GraphSamples.diamond()
        #expect(Liveness.lastUses(of: graph) == ["images": 0, "a": 2, "b": 2, "c": 3])
        #expect(Liveness.consumers(of: graph) == ["images": [0], "a": [1, 2], "b": [2]])
    }

    @Test func summaryNamesLayersAndTotals() throws {
        let text = try CIFARResNet(depth: 20).build(seed: 1).summary()
        #expect(text.contains("stage3.block3.conv2"))
        #expect(text.contains("269,722 parameters") && text.contains("40.55 MMACs"), "\(text.suffix(120))")
    }
}
