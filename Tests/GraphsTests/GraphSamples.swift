import Graphs
import Operations
import Tensors

/// Small graphs for tests.
enum GraphSamples {
    static func value(_ names: String...) -> [Source] { names.map { .value($0) } }

    /// images [2, 4, 4] → relu a → relu b → add(a, b), results: add.
    static func diamond() -> Graph {
        Graph(
            name: "diamond", inputs: [GraphInput(name: "images", sampleShape: [2, 4, 4])],
            nodes: [
                Node("a", ReLU(), value("images")), Node("b", Scale(factor: 2), value("a")),
                Node("c", Add(), value("a", "b")),
            ], outputs: ["c"])
    }
}
