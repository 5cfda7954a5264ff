import Basics
import Compression
import Graphs
import Operations
import Tensors
import Testing

/// Chains as whole layers; that they compute the same is tested where they are run.
@Suite struct RecompositionTests {
    /// A chain 1×1, 3×3, 1×1 on an image, whose last node is called `conv`.
    private func chain(_ change: (inout Graph) -> Void = { _ in }) throws -> Graph {
        var random = RandomSource(seed: 1)
        var builder = GraphBuilder(name: "net", seed: 1)
        var value = builder.input("images", [6, 8, 8])
        let links: [(name: String, shape: Shape, geometry: ConvolutionGeometry)] = [
            ("conv.tt1", [3, 6, 1, 1], .init()), ("conv.tt2", [4, 3, 3, 3], .init(stride: 2, padding: 1)), ("conv", [5, 4, 1, 1], .init()),
        ]
        for link in links {
            let weight = builder.parameter(link.name + ".w", try .normal(link.shape, using: &random))
            var sources: [Source] = [.value(value), weight]
            if link.name == "conv" { sources.append(builder.parameter("conv.bias", try .zeros([5]))) }
            value = try builder.add(link.name, Conv2D(link.geometry, hasBias: link.name == "conv"), sources)
        }
        var graph = try builder.finish(outputs: [value])
        for position in 0..<3 {
            graph.nodes[position].origin = Origin(layer: "conv", format: "C|Kh·Kw|O", position: position, count: 3)
        }
        change(&graph)
        return graph
    }

    @Test func aChainBecomesOneLayerWithItsGeometryAndBias() throws {
        let whole = try Recomposition.recompose(chain())
        #expect(whole.nodes.map(\.name) == ["conv"] && whole.nodes[0].origin == nil)
        let layer = try #require(whole.nodes[0].operation as? Conv2D)
        #expect(layer.geometry == ConvolutionGeometry(stride: 2, padding: 1) && layer.hasBias)
        #expect(whole.parameters.names.sorted() == ["conv.bias", "conv.weight"])
        #expect(whole.parameters["conv.weight"]?.tensor.shape == [5, 6, 3, 3])
    }

    @Test func layersWithoutOriginStay() throws {
        let graph = try chain { for position in 0..<3 { $0.nodes[position].origin = nil } }
        #expect(try Recomposition.recompose(graph).nodes.map(\.name) == graph.nodes.map(\.name))
    }

    /// What a file may claim, but no compression makes.
    @Test func brokenChainsAreRefused() throws {
        let broken: [(inout Graph) -> Void] = [
            { $0.nodes[0].origin = nil },
            { $0.nodes[2].origin = nil },
            { $0.nodes[1].origin = Origin(layer: "other", format: "x", position: 1, count: 3) },
            { $0.nodes[2].origin = Origin(layer: "conv", format: "x", position: 3, count: 4) },
            { $0.nodes[0].operation = Conv2D(.init(stride: 2, padding: 0), hasBias: false) },
            { $0.nodes[2].operation = Conv2D(.init(stride: 1, padding: 1), hasBias: true) },
        ]
        for change in broken {
            let failure = #expect(throws: (any Error).self) { try Recomposition.recompose(try chain(change)) }
            #expect((failure as? any Failure)?.code == "graph.invalidChain", "\(String(describing: failure))")
        }
    }
}
