public import Tensors

/// The parts of a tensor at given places of a dimension, in the order of the places; an embedding looks words up so.
///
/// - Shape: x […, D, …] and places of shape p to […, p, …]. Places are whole numbers in −D ..< D (negative ones count
///   from the back), as int64 or as float32.
public struct Gather: GraphOperation {
    public static let name = "gather"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    public var dimension: Int

    public init(dimension: Int) { self.dimension = dimension }
    public init(attributes: Attributes) throws { dimension = try attributes.int("dim") }
    public var attributes: Attributes { Attributes(Self.name, ["dim": .int(dimension)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        guard dimension >= 0, dimension < inputs[0].rank else {
            throw OperationFailure.shapes(operation: name, detail: "\(inputs[0]) has no dimension \(dimension)")
        }
        let dims = inputs[0].dims
        return [Shape(Array(dims[..<dimension]) + inputs[1].dims + Array(dims[(dimension + 1)...]))]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let output = try outputShapes(of: inputs.map(\.shape))[0]
        let (x, extent) = (inputs[0].shape, inputs[0].shape[dimension])
        let places = try places(inputs[1], extent: extent)
        let y = try Tensor(uninitialized: output, dtype: inputs[0].dtype)
        let source = try inputs[0].contiguous()
        let inner = x.dims[(dimension + 1)...].reduce(x.rank > 0 ? inputs[0].dtype.byteCount : 0, *)
        withExtendedLifetime((source.storage, y.storage)) {
            let (from, to) = (source.rawBase, y.rawBase)
            parallelFor(x.dims[..<dimension].reduce(1, *), grain: max(1, (1 << 16) / max(1, inner * places.count))) {
                for outer in $0 {
                    for (position, place) in places.enumerated() {
                        (to + (outer * places.count + position) * inner).copyMemory(
                            from: from + (outer * extent + place) * inner, byteCount: inner)
                    }
                }
            }
        }
        return Evaluation(y, mode) { dy, _ in [try spread(dy, places, into: x), nil] }
    }

    /// Adds each gradient to the place it came from.
    private func spread(_ dy: Tensor, _ places: [Int], into shape: Shape) throws -> Tensor {
        let dx = try Tensor.zeros(shape)
        let inner = shape.dims[(dimension + 1)...].reduce(1, *)
        let (outer, extent) = (shape.dims[..<dimension].reduce(1, *), shape[dimension])
        try dy.withElements(of: Float.self) { from in
            try dx.withMutableElements(of: Float.self) { to in
                for o in 0..<outer {
                    for (position, place) in places.enumerated() {
                        let (source, target) = ((o * places.count + position) * inner, (o * extent + place) * inner)
                        for i in 0..<inner { to[target + i] += from[source + i] }
                    }
                }
            }
        }
        return dx
    }

    private func places(_ tensor: Tensor, extent: Int) throws -> [Int] {
        func resolve(_ place: Int) throws -> Int {
            guard place >= -extent, place < extent else {
                throw TensorFailure.indexOutOfRange(operation: name, what: "place", index: place, count: extent)
            }
            return place < 0 ? place + extent : place
        }
        switch tensor.dtype {
        case .float32:
            return try tensor.array(of: Float.self).map { number in
                guard let place = Int(exactly: number) else {
                    throw TensorFailure.invalidArgument(operation: name, detail: "the place \(number) is no whole number")
                }
                return try resolve(place)
            }
        case .int64: return try tensor.array(of: Int64.self).map { try resolve(Int($0)) }
        case .uint8: return try tensor.array(of: UInt8.self).map { try resolve(Int($0)) }
        }
    }
}
