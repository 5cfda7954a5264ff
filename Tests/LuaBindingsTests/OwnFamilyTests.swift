import Compression
import Decomposition
import Operations
import Tensors
import Testing

/// A family that only this file knows: the R input channels with the most energy, picked by a 1×1 convolution, and the layer on
/// them alone. It goes the whole way, from a plan to files and back, and no other file knows of it.
private struct ChannelSelection: FactorizationFamily {
    let name = "channel selection"

    func refusal(of layer: FactorizableLayer) -> String? {
        guard let geometry = layer.geometry else { return nil }
        return geometry.groups == 1 ? nil : "is in groups, of which channel selection takes none"
    }

    func factorize(_ layers: [FactorizableLayer]) throws -> [any Factorization] { try layers.map { try SelectedChannels($0) } }
}

private struct SelectedChannels: Factorization {
    let layer: FactorizableLayer
    /// Channels, the most energetic first, and the share of the energy that is lost when only so many are kept.
    let order: [Int]
    let lost: [Double]
    let maxRanks: [Int]
    let parameterCost: RankPolynomial
    let macCost: RankPolynomial
    let activationCosts: [RankPolynomial]
    let errorKind = FactorizationError.exact

    init(_ layer: FactorizableLayer) throws {
        self.layer = layer
        let shape = layer.weight.shape
        let (o, c, kernel) = (shape[0], shape[1], shape.elementCount / shape[0] / shape[1])
        let energies = try layer.weight.multiplying(layer.weight).reshaped([o, c, kernel]).sum(along: 2).sum(along: 0)
            .array(of: Float.self).map(Double.init)
        let sorted = energies.indices.sorted { energies[$0] > energies[$1] }
        order = sorted
        let total = energies.reduce(0, +)
        lost = (0...c).map { kept in total > 0 ? sorted[kept...].reduce(0) { $0 + energies[$1] } / total : 0 }
        maxRanks = [c]
        // Positions that the first step and the second work at.
        let isConvolution = layer.geometry != nil
        let first = isConvolution ? layer.inputShape[2] * layer.inputShape[3] : layer.positionCount
        let second = isConvolution ? layer.outputShape[2] * layer.outputShape[3] : layer.positionCount
        parameterCost = RankPolynomial(linear: [c + o * kernel], bilinear: [])
        macCost = RankPolynomial(linear: [c * first + o * kernel * second], bilinear: [])
        activationCosts = [
            RankPolynomial(linear: [first], bilinear: []),
            RankPolynomial(constant: layer.outputShape.elementCount, linear: [0], bilinear: []),
        ]
    }

    func relativeSquaredError(ranks: [Int]) -> Double { lost[ranks[0]] }

    func steps(ranks: [Int]) throws -> [FactorStep] {
        let (rank, c) = (ranks[0], layer.weight.shape[1])
        var picks = [Float](repeating: 0, count: rank * c)
        for row in 0..<rank { picks[row * c + order[row]] = 1 }
        let rest = try Tensor.concatenated(
            order.prefix(rank).map { try layer.weight.sliced(dim: 1, from: $0, to: $0 + 1).contiguous() }, dim: 1)
        guard let geometry = layer.geometry else {
            return [
                FactorStep(Linear(hasBias: false), weight: try Tensor(picks, shape: [rank, c])),
                FactorStep(Linear(hasBias: false), weight: rest),
            ]
        }
        return [
            FactorStep(Conv2D(ConvolutionGeometry(), hasBias: false), weight: try Tensor(picks, shape: [rank, c, 1, 1])),
            FactorStep(Conv2D(geometry, hasBias: false), weight: rest),
        ]
    }
}

@Suite(.serialized) struct OwnFamilyTests {
    private static let registered: Void = { try? FactorizationCatalog.register(ChannelSelection()) }()

    @Test func aFamilyOfOneFileGoesTheWholeWay() throws {
        Self.registered
        try run(
            """
            local model, data, directory = net(), tiny(), os.tmpname()
            os.remove(directory)
            mr.make_directory(directory)
            local limits = { params = 0.6, latency_ms = 1000 }
            local plan = mr.plan(model, { formats = "channel selection", budget = limits })
            local row = plan["stage3.block1.conv2"]
            assert(row.format == "channel selection" and #row.ranks == 1 and row.error > 0 and plan.latency_ms, tostring(plan))
            assert(tostring(plan):find "channel selection" and tostring(plan):find "its loss at most")
            local x = mr.randn { 3, 1, 8, 8 }
            local function apart(a, b) return (a(x) - b(x)):norm() / b(x):norm() end
            local small = model:compress(plan)
            assert(small.cost.params == plan.params and small.cost.macs == plan.macs)
            local cut = apart(small, model)
            assert(small:refit(model, data) > 0 and small:repair(model, data) >= 0)
            for _, ending in ipairs { "safetensors", "onnx" } do
                local path = directory .. "/small." .. ending
                small:save(path)
                local again = mr.load(path)
                near(apart(again, small), 0, 1e-5)
                assert(again.layers["stage3.block1.conv2"].origin == "stage3.block1.conv2", ending)
                local whole = again:recompose()
                assert(whole.cost.params == model.cost.params and #whole.layers == #model.layers)
                near(apart(whole, small), 0, 1e-4)
                os.remove(path)
            end
            assert(cut > 0 and #mr.formats > 9)
            """)
    }
}
