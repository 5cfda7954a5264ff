import Autograd
import Basics
import Execution
import Glibc
import Graphs
import Operations
import Tensors
import Testing

/// The vision transformer against its formulas written out as loops, and its gradient against differences.
@Suite(.serialized) struct VisionTransformerTests {
    /// Sums of up to a dozen products in another order.
    static let tolerance: Float = 2e-5

    private static let net = VisionTransformer(
        imageShape: [2, 4, 6], classCount: 3, patch: 2, width: 6, depth: 2, heads: 2, mlpRatio: 2)

    /// The network with numbers in place of zeros and ones, so that every parameter tells.
    private func graph() throws -> Graph {
        var graph = try Self.net.build(seed: 4)
        var random = RandomSource(seed: 9)
        for name in graph.parameters.names {
            guard let tensor = graph.parameters[name]?.tensor else { continue }
            graph.parameters.update(name, try tensor.adding(.normal(tensor.shape, deviation: 0.3, using: &random)))
        }
        return graph
    }

    @Test(arguments: [1, 4]) func agreesWithItsFormulas(batch: Int) throws {
        let graph = try graph()
        let x = try ExecutionSamples.images(Shape([batch] + Self.net.imageShape.dims))
        let expected = try Formulas(graph, Self.net).logits(x)
        let taped = try ExecutionSamples.onTape(graph, [x]).outputs[0].tensor
        let compiled = try InferenceEngine(graph).run([x])[0]
        for result in [taped, compiled] {
            try #require(result.shape == [batch, 3])
            for (a, b) in zip(try result.contiguous().array(of: Float.self), expected) { #expect(abs(a - b) < Self.tolerance * (1 + abs(b))) }
        }
    }

    /// Along a random direction for each parameter: (L(p + hv) − L(p − hv)) / 2h.
    @Test func gradientsAgreeWithDifferences() throws {
        let graph = try graph()
        let x = try ExecutionSamples.images(Shape([3] + Self.net.imageShape.dims))
        var random = RandomSource(seed: 2)
        let weights = try Tensor.normal([3, 3], using: &random)
        func loss(_ parameters: ParameterTable, _ tape: Tape) throws -> (loss: Variable, result: TapeExecutor.Result) {
            let result = try TapeExecutor(graph).forward([x], parameters: parameters, on: tape, isTraining: true)
            let product = try tape.apply(Multiply(), [result.outputs[0], tape.variable(weights)])[0]
            return (try tape.apply(Sum(isMean: false), [product])[0], result)
        }
        let tape = Tape()
        let first = try loss(graph.parameters, tape)
        let gradients = try tape.gradients(of: first.loss)
        #expect(graph.parameters.trainableNames.count == graph.parameters.names.count)
        for name in graph.parameters.names {
            let (tensor, variable) = (try #require(graph.parameters[name]).tensor, try #require(first.result.parameters[name]))
            let gradient = try #require(gradients[variable], "\(name)")
            let direction = try Tensor.normal(tensor.shape, using: &random)
            func moved(_ step: Double) throws -> Double {
                var parameters = graph.parameters
                parameters.update(name, try tensor.adding(direction.multiplying(step)))
                return try Double(loss(parameters, Tape()).loss.tensor.scalar())
            }
            let step = 1e-3
            let numeric = (try moved(step) - (try moved(-step))) / (2 * step)
            let analytic = try Double(gradient.contiguous().multiplying(direction).total())
            // Rounding of the loss over 2h, and h² of its curvature.
            #expect(abs(analytic - numeric) < 2e-2 * (abs(analytic) + abs(numeric) + 0.1), "\(name): \(analytic) and \(numeric)")
        }
    }
}

/// The network as its paper writes it, in double precision on plain arrays: a row for each patch.
private struct Formulas {
    private let graph: Graph
    private let net: VisionTransformer

    init(_ graph: Graph, _ net: VisionTransformer) { (self.graph, self.net) = (graph, net) }

    private func parameter(_ name: String) throws -> [Double] {
        try #require(graph.parameters[name], "\(name)").tensor.array(of: Float.self).map(Double.init)
    }

    /// w · x + b for each row.
    private func linear(_ name: String, _ rows: [[Double]]) throws -> [[Double]] {
        let (weight, bias) = (try parameter(name + ".weight"), try parameter(name + ".bias"))
        return rows.map { row in
            bias.indices.map { o in bias[o] + row.indices.reduce(0) { $0 + weight[o * row.count + $1] * row[$1] } }
        }
    }

    private func norm(_ name: String, _ rows: [[Double]]) throws -> [[Double]] {
        let (weight, bias) = (try parameter(name + ".weight"), try parameter(name + ".bias"))
        return rows.map { row in
            let mean = row.reduce(0, +) / Double(row.count)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
            return row.indices.map { (row[$0] - mean) / (variance + 1e-6).squareRoot() * weight[$0] + bias[$0] }
        }
    }

    private func attention(_ name: String, _ rows: [[Double]]) throws -> [[Double]] {
        let all = try linear(name + ".qkv", rows)
        let (w, d) = (net.width, net.width / net.heads)
        var mixed = [[Double]](repeating: [Double](repeating: 0, count: w), count: rows.count)
        for head in 0..<net.heads {
            for i in rows.indices {
                let products = rows.indices.map { j in
                    (0..<d).reduce(0) { $0 + all[i][head * d + $1] * all[j][w + head * d + $1] } / Double(d).squareRoot()
                }
                let shares = products.map { exp($0) }
                let sum = shares.reduce(0, +)
                for f in 0..<d { mixed[i][head * d + f] = rows.indices.reduce(0) { $0 + shares[$1] / sum * all[$1][2 * w + head * d + f] } }
            }
        }
        return try linear(name + ".proj", mixed)
    }

    private func sum(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] { zip(a, b).map { zip($0, $1).map(+) } }

    /// The patches of one image, row after row, each embedded and told where it is.
    private func patches(_ image: [Float]) throws -> [[Double]] {
        let (c, height, width, p) = (net.imageShape[0], net.imageShape[1], net.imageShape[2], net.patch)
        var rows: [[Double]] = []
        for top in stride(from: 0, to: height, by: p) {
            for left in stride(from: 0, to: width, by: p) {
                rows.append(
                    (0..<c).flatMap { channel in
                        (0..<p * p).map { Double(image[(channel * height + top + $0 / p) * width + left + $0 % p]) }
                    })
            }
        }
        let places = try parameter("positions")
        return sum(try linear("patch", rows), rows.indices.map { Array(places[$0 * net.width..<($0 + 1) * net.width]) })
    }

    func logits(_ x: Tensor) throws -> [Float] {
        let (pixels, size) = (try x.array(of: Float.self), net.imageShape.elementCount)
        return try (0..<x.shape[0]).flatMap { sample -> [Float] in
            var rows = try patches(Array(pixels[sample * size..<(sample + 1) * size]))
            for block in 1...net.depth {
                rows = sum(rows, try attention("block\(block).attention", norm("block\(block).norm1", rows)))
                let inner = try linear("block\(block).mlp.fc1", norm("block\(block).norm2", rows)).map { $0.map { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) } }
                rows = sum(rows, try linear("block\(block).mlp.fc2", inner))
            }
            let last = try norm("norm", rows)
            let mean = (0..<net.width).map { f in last.reduce(0) { $0 + $1[f] } / Double(last.count) }
            return try linear("fc", [mean])[0].map { Float($0) }
        }
    }
}
