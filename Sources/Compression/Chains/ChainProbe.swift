import Basics
import Graphs
import Operations
import Tensors

/// The weight of the layer that a chain stands for, read off what the chain makes of single ones among zeros.
///
/// A chain is linear and treats all positions alike, whatever its nodes are, so what it makes of a one in each input says all.
struct ChainProbe {
    private let links: [Node]
    private let graph: Graph
    private let input: Shape
    private let output: Shape

    /// - Parameter shapes: of the graph's values, for a batch of one.
    init(_ links: [Node], of graph: Graph, _ shapes: [String: Shape]) {
        // A bias that is added is no part of the weight.
        self.links = links.filter { !($0.operation is Add) }
        self.graph = graph
        let first = links[0].value(at: 0) ?? ""
        let given = graph.inputs.first { $0.name == first }.map { Shape([1] + $0.sampleShape.dims) }
        input = given ?? shapes[first] ?? []
        output = shapes[links[links.count - 1].name] ?? []
    }

    /// The weight of a layer of this shape.
    /// - Throws: `invalidChain` where the chain is none of such a layer.
    /// - Complexity: that of the chain on as many samples as the layer has inputs, for a linear layer less by its positions.
    func weight(_ dense: Origin.Dense) throws -> Tensor {
        guard let geometry = dense.geometry else { return try linearWeight(dense.weight) }
        return try convolutionWeight(dense.weight, geometry)
    }

    private var mismatch: GraphFailure {
        Recomposition.invalid(graph, links[links.count - 1], "is of another shape than the layer it stands for")
    }

    /// Samples that run at once.
    private static let batch = 64

    private func run(_ x: Tensor) throws -> Tensor {
        var (value, name) = (x, links[0].value(at: 0))
        for link in links {
            try Cancellation.check()
            let inputs = try link.inputs.prefix(link.operation is Conv2D || link.operation is Linear ? 2 : .max).map { source -> Tensor in
                switch source {
                case .value(let own) where own == name: return value
                case .parameter(let own):
                    if let tensor = graph.parameters[own]?.tensor { return tensor }
                    throw mismatch
                default: throw mismatch
                }
            }
            value = try link.operation.withBias(false).evaluate(Array(inputs), .inference).outputs[0]
            name = link.name
        }
        return try value.contiguous()
    }

    // MARK: Linear layers

    /// Each position of each sample carries another input.
    private func linearWeight(_ shape: Shape) throws -> Tensor {
        guard shape.rank == 2, input.rank >= 2, input.dims.last == shape[1], output.dims.last == shape[0],
            input.dims.dropLast() == output.dims.dropLast()
        else { throw mismatch }
        let (o, i, positions) = (shape[0], shape[1], input.dims.dropFirst().dropLast().reduce(1, *))
        guard positions > 0 else { throw mismatch }
        let samples = (i + positions - 1) / positions
        var columns: [Tensor] = []
        for start in stride(from: 0, to: samples, by: Self.batch) {
            let count = min(Self.batch, samples - start)
            let x = try Tensor.zeros(Shape([count] + input.dims.dropFirst()))
            try x.withMutableElements(of: Float.self) { elements in
                for row in 0..<count * positions where start * positions + row < i {
                    elements[row * i + start * positions + row] = 1
                }
            }
            columns.append(try run(x).reshaped([count * positions, o]))
        }
        let all = try columns.count == 1 ? columns[0] : .concatenated(columns, dim: 0)
        return try all.sliced(dim: 0, from: 0, to: i).transposed().contiguous()
    }

    // MARK: Convolutions

    /// A one at one place of one channel shows the kernel's elements that lead from there to some position of the result.
    private func convolutionWeight(_ shape: Shape, _ geometry: ConvolutionGeometry) throws -> Tensor {
        guard shape.rank == 4, input.rank == 4, output.rank == 4, geometry.groups >= 1, shape[0] % geometry.groups == 0,
            input[1] == shape[1].multipliedReportingOverflow(by: geometry.groups).partialValue, output[1] == shape[0],
            try geometry.outputShape(input: input, weight: shape) == output
        else { throw mismatch }
        let weight = try Tensor.zeros(shape)
        var missing = Set((0..<shape[2]).flatMap { y in (0..<shape[3]).map { y * shape[3] + $0 } })
        for place in places {
            let seen = missing.compactMap { element in
                position(of: place, through: element, shape, geometry).map { (element: element, position: $0) }
            }
            guard !seen.isEmpty else { continue }
            missing.subtract(seen.map(\.element))
            try read(seen, at: place, shape, geometry, into: weight)
            if missing.isEmpty { break }
        }
        // An element that no position of the result sees does nothing.
        return weight
    }

    /// Places of the input, those in the middle first.
    private var places: [(row: Int, column: Int)] {
        let (rows, columns) = (input[2], input[3])
        let all = (0..<rows).flatMap { row in (0..<columns).map { (row: row, column: $0) } }
        func distance(_ place: (row: Int, column: Int)) -> Int { abs(2 * place.row - rows) + abs(2 * place.column - columns) }
        return all.sorted { distance($0) < distance($1) }
    }

    /// The position of the result that sees `place` by an element of the kernel.
    private func position(
        of place: (row: Int, column: Int), through element: Int, _ shape: Shape, _ geometry: ConvolutionGeometry
    ) -> Int? {
        func along(_ axis: Int, _ own: Int, _ tap: Int) -> Int? {
            let offset = own + geometry.padding[axis] - tap * geometry.dilation[axis]
            guard offset >= 0, offset % geometry.stride[axis] == 0, offset / geometry.stride[axis] < output[2 + axis] else { return nil }
            return offset / geometry.stride[axis]
        }
        guard let p = along(0, place.row, element / shape[3]), let q = along(1, place.column, element % shape[3]) else { return nil }
        return p * output[3] + q
    }

    private func read(
        _ seen: [(element: Int, position: Int)], at place: (row: Int, column: Int), _ shape: Shape, _ geometry: ConvolutionGeometry,
        into weight: Tensor
    ) throws {
        let (o, c, kernel) = (shape[0], shape[1], shape[2] * shape[3])
        let (channels, size, made) = (c * geometry.groups, input[2] * input[3], output[2] * output[3])
        for start in stride(from: 0, to: channels, by: Self.batch) {
            let count = min(Self.batch, channels - start)
            let x = try Tensor.zeros(Shape([count] + input.dims.dropFirst()))
            try x.withMutableElements(of: Float.self) { elements in
                for n in 0..<count {
                    elements[(n * channels + start + n) * size + place.row * input[3] + place.column] = 1
                }
            }
            let y = try run(x)
            guard y.shape.dims == [count] + output.dims.dropFirst() else { throw mismatch }
            try y.withElements(of: Float.self) { results in
                try weight.withMutableElements(of: Float.self) { elements in
                    for n in 0..<count {
                        let group = (start + n) / c
                        for row in group * (o / geometry.groups)..<(group + 1) * (o / geometry.groups) {
                            for (element, position) in seen {
                                elements[(row * c + (start + n) % c) * kernel + element] = results[(n * o + row) * made + position]
                            }
                        }
                    }
                }
            }
        }
    }
}
