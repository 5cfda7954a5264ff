import Basics
import Execution
import Formats
import Foundation
import Graphs
import Interchange
import Operations
import Tensors

/// Graphs and files for tests of interchange.
enum InterchangeSamples {
    /// Every kind of attribute, two results, and nodes that say where they come from.
    static func zoo() throws -> Graph {
        var b = GraphBuilder(name: "zoo", seed: 9)
        let x = b.input("images", [3, 8, 6])
        let first = try b.convolution("conv", x, channels: 4, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let conv = try b.convolution("conv2", first, channels: 4, kernel: [3, 3], geometry: .init(stride: 1, padding: 1, groups: 2), hasBias: true)
        let norm = try b.batchNorm("bn", conv)
        let relu = try b.apply("relu", ReLU(), norm)
        let pooled = try b.apply("pool", Pool2D(.init(kind: .averageWithPadding, window: [2, 2], stride: [1, 1], padding: [1, 0, 0, 1])), relu)
        let rows = try b.apply("rows", Slice(dimension: 2, by: 2), pooled)
        let columns = try b.apply("columns", Slice(dimension: 3, from: 1, to: -2, by: 2), rows)
        let padded = try b.apply("padded", Pad(dimension: 1, before: 1, after: 2), columns)
        let short = try b.apply("short", SubsamplePad(stride: 2, before: 1, after: 2), pooled)
        let small = try b.apply("small", AdaptiveAveragePool2D(rows: 2, columns: 1), padded)
        let other = try b.apply("other", AdaptiveAveragePool2D(rows: 2, columns: 1), short)
        let sum = try b.apply("sum", Add(), small, other)
        let scaled = try b.apply("scaled", Scale(factor: 0.1), sum)
        let flat = try b.apply("flat", Reshape(target: [0, -1]), scaled)
        let logits = try b.linear("fc", flat, features: 5)
        var graph = try b.finish(outputs: [logits, pooled])
        for (position, name) in ["conv", "conv2"].enumerated() {
            guard let index = graph.index(ofNode: name) else { continue }
            graph.nodes[index].origin = Origin(layer: "wide ünïcode", format: "C|Kh·Kw|O", position: position, count: 2)
        }
        return graph
    }

    /// A path that is removed again when `body` is through.
    static func withFile<Result>(_ body: (String) throws -> Result) throws -> Result {
        let path = FileManager.default.temporaryDirectory.appending(path: "moonrail-\(UUID().uuidString).safetensors")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    static func bits(_ graph: Graph) throws -> [String: [UInt32]] {
        var result: [String: [UInt32]] = [:]
        for name in graph.parameters.names {
            result[name] = try graph.parameters[name]?.tensor.array(of: Float.self).map(\.bitPattern)
        }
        return result
    }

    static func decode(_ document: JSONValue, _ graph: Graph) throws -> Graph {
        try GraphDocument.decode(document, source: "file") { graph.parameters[$0]?.tensor }
    }
}
