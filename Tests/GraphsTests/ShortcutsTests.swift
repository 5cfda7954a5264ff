import Graphs
import Operations
import Tensors
import Testing

@Suite struct ShortcutsTests {
    private func names(_ graph: Graph) -> [String] {
        zip(graph.nodes, Shortcuts.inSeries(of: graph)).filter(\.1).map(\.0.name)
    }

    @Test func everythingOfAChainIsInSeries() throws {
        var b = GraphBuilder(name: "chain", seed: 1)
        let x = b.input("x", [4, 6, 6])
        let first = try b.convolution("first", x, channels: 8, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let second = try b.convolution("second", b.apply("relu", ReLU(), first), channels: 4, kernel: [1, 1], geometry: .init())
        #expect(names(try b.finish(outputs: [second])) == ["first", "relu", "second"])
    }

    /// A shortcut leads around what it begins before and ends behind, and around nothing else.
    @Test func aShortcutLeadsAroundItsBlock() throws {
        var b = GraphBuilder(name: "residual", seed: 1)
        let x = b.input("x", [4, 6, 6])
        func conv(_ name: String, _ x: String) throws -> String {
            try b.convolution(name, x, channels: 4, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        }
        let stem = try conv("stem", x)
        let inner = try conv("inner", conv("outer", stem))
        let sum = try b.apply("sum", Add(), inner, stem)
        let last = try conv("last", sum)
        #expect(names(try b.finish(outputs: [last])) == ["stem", "sum", "last"])
    }

    /// An early result leads out past what follows; the input itself may be the shortcut; what no result needs is no path.
    @Test func resultsAndInputsAreEndsOfPaths() throws {
        var b = GraphBuilder(name: "ends", seed: 1)
        let x = b.input("x", [4, 6, 6])
        let first = try b.apply("first", ReLU(), x)
        let second = try b.apply("second", ReLU(), first)
        #expect(names(try b.finish(outputs: [first, second])) == ["first"])
        var c = GraphBuilder(name: "input", seed: 1)
        let y = c.input("y", [4, 6, 6])
        let sum = try c.apply("sum", Add(), c.apply("relu", ReLU(), y), y)
        #expect(names(try c.finish(outputs: [sum])) == ["sum"])
    }

    @Test func residualNetworksHaveFewLayersInSeries() throws {
        let graph = try CIFARResNet(depth: 20, imageShape: [1, 28, 28]).build(seed: 1)
        let layers = try WeightedLayers.layers(of: graph).map(\.name)
        #expect(Set(names(graph)).intersection(layers) == [layers[0], layers[layers.count - 1]])
    }
}
