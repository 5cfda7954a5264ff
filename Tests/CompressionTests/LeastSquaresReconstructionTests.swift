import Basics
import Compression
import Decomposition
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct LeastSquaresReconstructionTests {
    /// Convolutions with and without bias, and a linear layer, without any batch normalisation.
    private func plain() throws -> Graph {
        var b = GraphBuilder(name: "plain", seed: 5)
        var x = b.input("images", [3, 12, 12])
        for (index, channels) in [16, 24, 24].enumerated() {
            let conv = try b.convolution(
                "conv\(index)", x, channels: channels, kernel: [3, 3], geometry: .init(stride: 1, padding: 1), hasBias: index != 1)
            x = try b.apply("relu\(index)", ReLU(), conv)
        }
        let pooled = try b.apply("pool", AdaptiveAveragePool2D(rows: 2, columns: 2), x)
        let flat = try b.apply("flat", Flatten(), pooled)
        let hidden = try b.linear("hidden", flat, features: 32)
        x = try b.apply("relu", ReLU(), hidden)
        let logits = try b.linear("fc", x, features: 10)
        return try b.finish(outputs: [logits])
    }

    private func cut(_ graph: Graph, share: Double, _ grouping: ConvolutionGrouping = .tensorTrain) throws -> Graph {
        let model = try DecomposedModel(graph, formats: .init(grouping))
        var ranks: [String: [Int]] = [:]
        for layer in model.layers where layer.decomposition != nil {
            ranks[layer.name] = layer.maxRanks.map { max(1, Int(Double($0) * share)) }
        }
        return try Compressor.compress(model, plan: Planner(policy: .uniform).plan(model, budget: nil, ranks: ranks, name: "test"))
    }

    private func images(_ shape: [Int]) throws -> [Tensor] {
        var random = RandomSource(seed: 11)
        return try [40, 24].map { try .normal(Shape([$0] + shape), using: &random) }
    }

    /// ‖got − wanted‖ / ‖wanted‖ of a value inside both graphs.
    private func error(_ name: String, _ graph: Graph, _ dense: Graph, _ images: [Tensor]) throws -> Double {
        var (apart, norm) = (0.0, 0.0)
        for batch in images {
            let got = try InferenceEngine(graph.computing([name])).run([batch])[0]
            let wanted = try InferenceEngine(dense.computing([name])).run([batch])[0]
            apart += try got.subtracting(wanted).norm()
            norm += try wanted.norm()
        }
        return apart / norm
    }

    @Test func layersThatAreNotNamedStay() throws {
        let (dense, images) = try (plain(), images([3, 12, 12]))
        let cut = try cut(dense, share: 0.3)
        let (fitted, layers) = try LeastSquaresReconstruction.repair(cut, towards: dense, images: images, layers: ["conv1"])
        #expect(layers == ["conv1"])
        for node in cut.nodes where node.origin != nil && node.origin?.layer != "conv1" {
            #expect(fitted.nodes.first { $0.name == node.name }?.inputs == node.inputs, "\(node.name)")
        }
        #expect(try error("conv1", fitted, dense, images) < error("conv1", cut, dense, images))
        let failure = #expect(throws: CompressionFailure.self) {
            try LeastSquaresReconstruction.repair(cut, towards: dense, images: images, layers: ["conv1", "conv9"])
        }
        #expect(failure?.description == "option 'layers' names 'conv9', which is no compressed layer")
    }

    @Test(arguments: ConvolutionGrouping.allCases) func everyLayerComesCloser(_ grouping: ConvolutionGrouping) throws {
        let (dense, images) = try (plain(), images([3, 12, 12]))
        let cut = try cut(dense, share: 0.3, grouping)
        let (fitted, layers) = try LeastSquaresReconstruction.repair(cut, towards: dense, images: images)
        #expect(layers == ["conv0", "conv1", "conv2", "hidden"])
        for layer in layers {
            let (before, after) = try (error(layer, cut, dense, images), error(layer, fitted, dense, images))
            #expect(after < before, "\(layer): \(before) to \(after)")
        }
        #expect(try error("fc", fitted, dense, images) < error("fc", cut, dense, images))
    }

    /// The residual of a least-squares fit is orthogonal to what was fitted with, so no other factors do better: neither
    /// the last one, nor the one before it.
    @Test(arguments: ["conv0", "conv0.tt2"]) func noOtherWeightIsBetter(_ factor: String) throws {
        let (dense, images) = try (plain(), images([3, 12, 12]))
        let fitted = try LeastSquaresReconstruction.repair(cut(dense, share: 0.3), towards: dense, images: images, ridge: 0).graph
        let best = try error("conv0", fitted, dense, images)
        let node = try #require(fitted.nodes.first { $0.name == factor })
        let name = try #require(node.parameterInputs.first)
        var random = RandomSource(seed: 2)
        for _ in 0..<4 {
            var moved = fitted
            let weight = try #require(fitted.parameters[name]).tensor
            let step = try Tensor.normal(weight.shape, using: &random).multiplying(1e-2)
            moved.parameters.update(name, try weight.adding(step))
            #expect(try error("conv0", moved, dense, images) > best)
        }
    }

    /// A stride, padding of one side and a dilation meet the patches as they meet the convolution.
    @Test func patchesFollowTheGeometry() throws {
        var b = GraphBuilder(name: "geometry", seed: 3)
        let x = b.input("images", [6, 13, 11])
        let geometry = ConvolutionGeometry(stride: [2, 1], padding: [0, 2, 1, 0], dilation: [1, 2])
        let conv = try b.convolution("conv", x, channels: 12, kernel: [3, 3], geometry: geometry, hasBias: true)
        let flat = try b.apply("flat", Flatten(), conv)
        let logits = try b.linear("fc", flat, features: 3)
        let dense = try b.finish(outputs: [logits])
        let images = try images([6, 13, 11])
        for grouping in ConvolutionGrouping.allCases {
            let cut = try cut(dense, share: 1, grouping)
            // A chain at full rank whose last factor was spoilt comes back.
            var spoilt = cut
            let last = try #require(cut.nodes.first { $0.name == "conv" }?.parameterInputs.first)
            spoilt.parameters.update(last, try #require(cut.parameters[last]).tensor.multiplying(0))
            let fitted = try LeastSquaresReconstruction.repair(spoilt, towards: dense, images: images, ridge: 1e-9).graph
            #expect(try error("conv", fitted, dense, images) < 1e-3, "\(grouping)")
        }
    }

    /// With few positions for its patches only the last factor is fitted.
    @Test func fewPositionsLeaveTheKernel() throws {
        let dense = try plain()
        let cut = try cut(dense, share: 0.3)
        var random = RandomSource(seed: 4)
        let image = try Tensor.normal([1, 3, 12, 12], using: &random)
        let fitted = try LeastSquaresReconstruction.repair(cut, towards: dense, images: [image]).graph
        func isKept(_ name: String) throws -> Bool {
            let (old, new) = try (#require(cut.parameters[name]).tensor, #require(fitted.parameters[name]).tensor)
            return try old.array(of: Float.self) == new.array(of: Float.self)
        }
        #expect(try isKept("conv2.tt2.weight") && !isKept("conv2.tt3.weight"))
    }

    /// Fitting again changes no name; a weight that another layer reads too is left to that layer.
    @Test func namesStayUnlessShared() throws {
        let (dense, images) = try (plain(), images([3, 12, 12]))
        let cut = try cut(dense, share: 0.3)
        let fitted = try LeastSquaresReconstruction.repair(cut, towards: dense, images: images).graph
        let weights = { (graph: Graph) in graph.nodes.compactMap { $0.parameterInputs.first } }
        #expect(weights(fitted) == weights(cut))
        #expect(try weights(LeastSquaresReconstruction.repair(fitted, towards: dense, images: images).graph) == weights(cut))

        var tied = cut
        let (first, second) = try (#require(tied.index(ofNode: "conv1")), #require(tied.index(ofNode: "conv2")))
        tied.nodes[second].inputs[1] = tied.nodes[first].inputs[1]
        let apart = try LeastSquaresReconstruction.repair(tied, towards: dense, images: images, layers: ["conv2"]).graph
        #expect(apart.nodes[first].inputs == tied.nodes[first].inputs)
        #expect(apart.nodes[second].parameterInputs.first == "conv2.weight.fitted")
    }

    /// Errors count by what batch normalisation makes of them: what it multiplies most comes out best.
    @Test func channelsCountByTheirScale() throws {
        func relativeError(ofChannel channel: Int, loud: Int) throws -> Double {
            var b = GraphBuilder(name: "loud", seed: 7)
            let x = b.input("images", [8, 10, 10])
            let conv = try b.convolution("conv", x, channels: 8, kernel: [3, 3], geometry: .init(stride: 1, padding: 1), hasBias: false)
            let norm = try b.batchNorm("bn", conv)
            let flat = try b.apply("flat", Flatten(), norm)
            let logits = try b.linear("fc", flat, features: 3)
            var dense = try b.finish(outputs: [logits])
            let scale = try #require(dense.nodes.first { $0.name == "bn" }?.parameterInputs.first)
            dense.parameters.update(scale, try Tensor((0..<8).map { $0 == loud ? 30 : 1 } as [Float]))
            let images = try images([8, 10, 10])
            let fitted = try LeastSquaresReconstruction.repair(cut(dense, share: 0.3, .outputChannels), towards: dense, images: images).graph
            let got = try InferenceEngine(fitted.computing(["conv"])).run([images[0]])[0].sliced(dim: 1, from: channel, to: channel + 1)
            let wanted = try InferenceEngine(dense.computing(["conv"])).run([images[0]])[0].sliced(dim: 1, from: channel, to: channel + 1)
            return try got.subtracting(wanted).norm() / wanted.norm()
        }
        #expect(try relativeError(ofChannel: 3, loud: 3) < 0.5 * relativeError(ofChannel: 3, loud: 5))
    }

    @Test func fullRankStaysExact() throws {
        let (dense, images) = try (plain(), images([3, 12, 12]))
        let fitted = try LeastSquaresReconstruction.repair(cut(dense, share: 1), towards: dense, images: images, ridge: 0).graph
        #expect(try error("fc", fitted, dense, images) < 1e-3)
    }

    /// Behind batch normalisation no bias is added; its mean is the dense model's, moved as the fit moves the layer's mean.
    @Test func statisticsFollowTheFit() throws {
        let dense = try CompressionSamples.resNet()
        let images = try images([3, 16, 16])
        let cut = try cut(dense, share: 0.4)
        let (fitted, layers) = try LeastSquaresReconstruction.repair(cut, towards: dense, images: images)
        #expect(layers.count > 4 && fitted.parameters.trainableElementCount == cut.parameters.trainableElementCount)
        let layer = "stage1.block1.conv1"
        let norm = try #require(fitted.nodes.first { $0.valueInputs.contains(layer) })
        func means(_ graph: Graph) throws -> [Float] {
            let results = try Tensor.concatenated(images.map { try InferenceEngine(graph.computing([layer])).run([$0])[0] }, dim: 0)
            let rows = try results.permuted([1, 0, 2, 3]).contiguous().reshaped([results.shape[1], -1])
            return try rows.mean(along: 1).array(of: Float.self)
        }
        let (made, wanted) = try (means(fitted), means(dense))
        let name = norm.parameterInputs[2]
        let kept = try #require(fitted.parameters[name]).tensor.array(of: Float.self)
        let original = try #require(dense.parameters[name]).tensor.array(of: Float.self)
        for channel in kept.indices { #expect(abs(kept[channel] - original[channel] - made[channel] + wanted[channel]) < 1e-4) }
    }

    @Test func anotherModelIsRefused() throws {
        let dense = try plain()
        let cut = try cut(dense, share: 0.3)
        #expect(throws: CompressionFailure.self) { try LeastSquaresReconstruction.repair(cut, towards: dense, images: []) }
        let images = try images([3, 12, 12])
        func refusal(_ name: String, channels: Int) throws -> String? {
            var other = GraphBuilder(name: "other", seed: 1)
            let x = other.input("images", [3, 12, 12])
            let conv = try other.convolution(
                name, x, channels: channels, kernel: [3, 3], geometry: .init(stride: 1, padding: 1), hasBias: true)
            let graph = try other.finish(outputs: [conv])
            let failure = #expect(throws: CompressionFailure.self) {
                try LeastSquaresReconstruction.repair(cut, towards: graph, images: images)
            }
            return failure?.description
        }
        #expect(try refusal("conv0", channels: 9)?.contains("conv0: cannot be fitted: the dense model 'other' gives") == true)
        // The first layer is alike, the second is missing.
        #expect(try refusal("conv0", channels: 16)?.contains("conv1: cannot be fitted: the dense model 'other' has no such layer") == true)
    }

    // MARK: What images do not say

    /// One convolution without padding, where a constant added to all inputs only moves what a bias takes up.
    private func valid() throws -> Graph {
        var b = GraphBuilder(name: "valid", seed: 9)
        let x = b.input("images", [6, 9, 9])
        let conv = try b.convolution("conv", x, channels: 12, kernel: [3, 3], geometry: .init(), hasBias: true)
        let flat = try b.apply("flat", Flatten(), conv)
        let logits = try b.linear("fc", flat, features: 3)
        return try b.finish(outputs: [logits])
    }

    /// The error of the fitted layer beside the deviation of the dense one.
    private func errorOfFit(offset: Double, grouping: ConvolutionGrouping) throws -> Double {
        var random = RandomSource(seed: 21)
        let mixing = try Tensor.normal([6, 6], using: &random)
        let images = try [40, 30].map { count -> Tensor in
            let raw = try Tensor.normal([count, 6, 81], using: &random)
            let mixed = try raw.permuted([1, 0, 2]).contiguous().reshaped([6, -1])
            let columns = try mixing.matrixProduct(mixed).reshaped([6, count, 81]).permuted([1, 0, 2]).contiguous()
            return try columns.adding(Tensor.full([], offset)).reshaped([count, 6, 9, 9])
        }
        let dense = try valid()
        let fitted = try LeastSquaresReconstruction.repair(cut(dense, share: 0.3, grouping), towards: dense, images: images).graph
        var (apart, spread) = (0.0, 0.0)
        for batch in images {
            let (got, wanted) = try (
                InferenceEngine(fitted.computing(["conv"])).run([batch])[0].array(of: Float.self),
                InferenceEngine(dense.computing(["conv"])).run([batch])[0].array(of: Float.self)
            )
            let size = 49
            var means = [Double](repeating: 0, count: 12)
            for (i, y) in wanted.enumerated() { means[i / size % 12] += Double(y) * 12 / Double(wanted.count) }
            for (i, y) in wanted.enumerated() {
                apart += (Double(got[i]) - Double(y)) * (Double(got[i]) - Double(y))
                spread += (Double(y) - means[i / size % 12]) * (Double(y) - means[i / size % 12])
            }
        }
        return (apart / spread).squareRoot()
    }

    /// Where inputs have a mean of thousands of deviations, the fit is as good as without.
    @Test(arguments: [ConvolutionGrouping.tensorTrain, .outputChannels]) func aMeanCostsNothing(_ grouping: ConvolutionGrouping) throws {
        let right = try errorOfFit(offset: 0, grouping: grouping)
        #expect(right < 0.95)
        for offset in [10.0, 100, 1000, 10_000, -10_000] {
            let error = try errorOfFit(offset: offset, grouping: grouping)
            #expect(error < right * 1.01, "\(offset): \(error) for \(right)")
        }
    }

    @Test(arguments: [
        (Float.nan, "compression.notFiniteImages"), (.infinity, "compression.notFiniteImages"), (0, "compression.noContent"), (0.5, "compression.noContent"),
    ])
    func imagesWithoutContentAreRefused(_ value: Float, _ code: String) throws {
        let dense = try plain()
        let blank = try Tensor.full([8, 3, 12, 12], Double(value))
        let failure = #expect(throws: CompressionFailure.self) {
            try LeastSquaresReconstruction.repair(cut(dense, share: 0.3), towards: dense, images: [blank])
        }
        #expect(failure?.code == code && failure?.description.contains("image") == true)
    }

    /// Pictures that differ by their brightness alone, or hardly at all, say next to nothing of the weights: what the model
    /// makes of other pictures stays about as near to the dense one as it was.
    @Test(arguments: [0.0, 1e-7, 1e-4, 0.3]) func poorImagesDoNoHarm(_ noise: Double) throws {
        let dense = try plain()
        var random = RandomSource(seed: 31)
        let poor = try (0..<2).map { batch -> Tensor in
            let levels = try Tensor((0..<16).map { Float(0.5 + 0.01 * Double(batch * 16 + $0)) }, shape: [16, 1, 1, 1])
            return try levels.adding(Tensor.normal([16, 3, 12, 12], using: &random).multiplying(noise))
        }
        let cut = try cut(dense, share: 0.5)
        let fitted = try LeastSquaresReconstruction.repair(cut, towards: dense, images: poor).graph
        let others = try images([3, 12, 12])
        let (before, after) = try (error("fc", cut, dense, others), error("fc", fitted, dense, others))
        #expect(after < 2 * before + 0.05, "\(before) to \(after)")
    }

    /// On the images that it saw no layer is further from the dense one than it was, whatever the ridge.
    @Test(arguments: [0.0, 1e-4, 10, 1e6]) func noLayerIsWorseOnItsImages(_ ridge: Double) throws {
        let (dense, images) = try (plain(), images([3, 12, 12]))
        let cut = try cut(dense, share: 0.4)
        for layer in ["conv0", "conv1", "conv2", "hidden"] {
            let fitted = try LeastSquaresReconstruction.repair(cut, towards: dense, images: images, ridge: ridge, layers: [layer]).graph
            #expect(try error(layer, fitted, dense, images) <= error(layer, cut, dense, images) * (1 + 1e-6), "\(layer)")
        }
    }

    /// A large ridge holds on to the weights that are there.
    @Test func theRidgeHoldsOnToThePresentWeights() throws {
        let (dense, images) = try (plain(), images([3, 12, 12]))
        let cut = try cut(dense, share: 0.4, .outputChannels)
        let held = try LeastSquaresReconstruction.repair(cut, towards: dense, images: images, ridge: 1e9, layers: ["conv1"]).graph
        let (got, old) = try (InferenceEngine(held.computing(["conv1"])).run([images[0]])[0], InferenceEngine(cut.computing(["conv1"])).run([images[0]])[0])
        // The bias alone is free.
        let moved = try got.subtracting(old)
        let rows = try moved.permuted([1, 0, 2, 3]).contiguous().reshaped([moved.shape[1], -1])
        let spread = try rows.subtracting(rows.mean(along: 1, keeping: true)).norm()
        #expect(try spread < 1e-4 * old.norm())
    }

    @Test func layersWithoutNumbersAreNamed() throws {
        let (dense, images) = try (plain(), images([3, 12, 12]))
        var cut = try cut(dense, share: 0.3)
        let weight = try #require(cut.nodes.first { $0.origin?.layer == "conv1" }?.parameter(at: 1))
        cut.parameters.update(weight, try #require(cut.parameters[weight]).tensor.multiplying(.infinity))
        let failure = #expect(throws: LocatedFailure.self) { try LeastSquaresReconstruction.repair(cut, towards: dense, images: images) }
        #expect(failure?.code == "compression.notFinite" && failure?.description.contains("conv1") == true)
    }

    @Test func frozenFactorsStayFrozen() throws {
        let images = try images([3, 12, 12])
        var dense = try plain()
        dense.parameters["conv1.weight"]?.isTrainable = false
        let cut = try cut(dense, share: 0.3)
        let fitted = try LeastSquaresReconstruction.repair(cut, towards: dense, images: images).graph
        for graph in [cut, fitted] {
            for node in graph.nodes where node.origin != nil {
                let weight = try #require(node.parameter(at: 1).flatMap { graph.parameters[$0] })
                #expect(weight.isTrainable == (node.origin?.layer != "conv1"), "\(node.name)")
            }
        }
        let whole = try Recomposition.recompose(fitted)
        for node in whole.nodes where ["conv0", "conv1", "conv2"].contains(node.name) {
            #expect(try #require(node.parameter(at: 1).flatMap { whole.parameters[$0] }).isTrainable == (node.name != "conv1"))
        }
    }

    /// A graph may give a normalisation's scale by a node, and a convolution's input as a parameter.
    @Test(arguments: [1, 3, 4]) func normalisationMayTakeItsParametersFromNodes(_ input: Int) throws {
        var b = GraphBuilder(name: "given", seed: 7)
        let x = b.input("images", [4, 10, 10])
        let conv = try b.convolution("conv", x, channels: 8, kernel: [3, 3], geometry: .init(stride: 1, padding: 1), hasBias: false)
        let norm = try b.batchNorm("bn", conv)
        let flat = try b.apply("flat", Flatten(), norm)
        let logits = try b.linear("fc", flat, features: 3)
        var dense = try b.finish(outputs: [logits])
        let index = try #require(dense.index(ofNode: "bn"))
        let name = try #require(dense.nodes[index].parameter(at: input))
        dense.nodes[index].inputs[input] = .value("made")
        dense.nodes.insert(Node("made", ReLU(), [.parameter(name)]), at: 0)
        try Verifier.verify(dense)
        let images = try images([4, 10, 10])
        let cut = try cut(dense, share: 0.3)
        let (fitted, layers) = try LeastSquaresReconstruction.repair(cut, towards: dense, images: images)
        #expect(layers == ["conv"])
        #expect(try error("conv", fitted, dense, images) < error("conv", cut, dense, images))
    }
}
