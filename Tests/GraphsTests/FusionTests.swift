import Graphs
import Operations
import Tensors
import Testing

/// What fusion makes of graphs; that results stay the same is tested where graphs run.
@Suite(.serialized) struct FusionTests {
    private func kinds(_ graph: Graph) -> [String: Int] {
        Dictionary(graph.nodes.map { ($0.operation.name, 1) }, uniquingKeysWith: +)
    }

    @Test func inferenceJoinsAllThatOneKernelCanRun() throws {
        let graph = try CIFARResNet(depth: 20).build(seed: 1)
        let fused = try Fusion.forInference(graph)
        try Verifier.verify(fused)
        #expect(kinds(fused) == ["conv2d": 19, "subsample_pad": 2, "global_avg_pool2d": 1, "flatten": 1, "linear": 1])
        let convolutions = fused.nodes.compactMap { $0.operation as? Conv2D }
        #expect(convolutions.filter(\.addsResidual).count == 9 && convolutions.allSatisfy { $0.hasReLU && $0.hasBias })
        #expect(fused.outputs == graph.outputs)
        #expect(graph.nodes.count == 75 && kinds(graph)["batch_norm"] == 19, "the graph given is untouched")
    }

    /// On vectors batch norms go into linear layers; on sequences their channels are others than the layer's features.
    @Test func batchNormsOfVectorsAreFolded() throws {
        for (shape, kept) in [([6], 0), ([4, 6], 1)] as [(Shape, Int)] {
            for hasBias in [true, false] {
                var builder = GraphBuilder(name: "net", seed: 1)
                let x = builder.input("x", shape)
                let fc = try builder.linear("fc", x, features: 5, hasBias: hasBias)
                let norm = try builder.batchNorm("bn", fc)
                let fused = try Fusion.forInference(builder.finish(outputs: [norm]))
                try Verifier.verify(fused)
                #expect(kinds(fused)["linear"] == 1 && kinds(fused)["batch_norm", default: 0] == kept)
            }
        }
    }

    @Test func trainingKeepsParametersAndJoinsActivations() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let fused = Fusion.forTraining(graph)
        try Verifier.verify(fused)
        #expect(fused.parameters.names == graph.parameters.names)
        #expect(kinds(fused)["relu"] == nil && kinds(fused)["slice"] == nil && kinds(fused)["batch_norm"] == 7)
        let norms = fused.nodes.compactMap { $0.operation as? BatchNorm }
        #expect(norms.allSatisfy(\.hasReLU) && norms.filter(\.addsResidual).count == 3 && kinds(fused)["add"] == nil)
    }

    @Test func tappedValuesRemain() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let everything = Set(graph.nodes.map(\.name))
        for fused in [try Fusion.forInference(graph, keeping: everything), Fusion.forTraining(graph, keeping: everything)] {
            #expect(Set(fused.nodes.map(\.name)) == everything)
        }
        for tap in ["bn1", "stage2.block1.rows", "stage2.block1.add", "conv1"] {
            let fused = try Fusion.forInference(graph, keeping: [tap])
            try Verifier.verify(fused)
            #expect(fused.index(ofNode: tap) != nil, "\(tap)")
        }
    }

    /// A summand that broadcasts is no residual: the kernel adds one of its own shape.
    @Test func broadcastSummandsStayApart() throws {
        var builder = GraphBuilder(name: "net", seed: 1)
        let x = builder.input("images", [4, 6, 6])
        let pooled = try builder.apply("pooled", GlobalAveragePool2D(), x)
        let conv = try builder.convolution("conv", x, channels: 4, kernel: [1, 1], geometry: .init())
        let sum = try builder.apply("sum", Add(), conv, pooled)
        let small = try builder.convolution("small", pooled, channels: 4, kernel: [1, 1], geometry: .init())
        let other = try builder.apply("other", Add(), small, sum)
        let fused = try Fusion.forInference(builder.finish(outputs: [other]))
        try Verifier.verify(fused)
        #expect(kinds(fused)["add"] == 2)
    }

    @Test func valuesWithOtherReadersAreNotSwallowed() throws {
        var builder = GraphBuilder(name: "net", seed: 1)
        let x = builder.input("images", [4, 6, 6])
        let conv = try builder.convolution("conv", x, channels: 4, kernel: [1, 1], geometry: .init())
        let norm = try builder.batchNorm("norm", conv)
        let relu = try builder.apply("relu", ReLU(), norm)
        let both = try builder.apply("both", Add(), norm, relu)
        let double = try builder.apply("double", Add(), both, both)
        let graph = try builder.finish(outputs: [double, conv])
        let fused = try Fusion.forInference(graph)
        try Verifier.verify(fused)
        #expect(fused.nodes.map(\.name) == ["conv", "norm", "relu", "both", "double"], "conv is a result, norm has two readers")
    }
}
