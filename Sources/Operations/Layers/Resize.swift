public import Tensors

/// Another number of elements along one dimension, each the nearest old one or between the two nearest.
///
/// Two of them, for rows and columns, resize an image (bilinear where linear). The meaning of the attributes is that
/// of ONNX's operator Resize.
public struct Resize: GraphOperation {
    public static let name = "resize"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)

    public enum Interpolation: String, Sendable, CaseIterable { case nearest, linear }

    /// Where a new element lies among the old ones.
    public enum Coordinates: String, Sendable, CaseIterable {
        case halfPixel = "half_pixel"
        case pytorchHalfPixel = "pytorch_half_pixel"
        case alignCorners = "align_corners"
        case asymmetric
    }

    /// How a place becomes that of the nearest element.
    public enum Rounding: String, Sendable, CaseIterable {
        case preferFloor = "round_prefer_floor"
        case preferCeiling = "round_prefer_ceil"
        case floor, ceil
    }

    public var dimension: Int
    public var size: Int
    /// New elements per old one, as places are worked out with; need not be exactly the ratio of the sizes.
    public var scale: Double
    public var interpolation: Interpolation
    public var coordinates: Coordinates
    public var rounding: Rounding

    public init(
        dimension: Int, size: Int, scale: Double, interpolation: Interpolation, coordinates: Coordinates,
        rounding: Rounding = .preferFloor
    ) {
        self.dimension = dimension
        self.size = size
        self.scale = scale
        self.interpolation = interpolation
        self.coordinates = coordinates
        self.rounding = rounding
    }

    public init(attributes: Attributes) throws {
        dimension = try attributes.int("dim")
        size = try attributes.int("size")
        scale = try attributes.finite("scale")
        interpolation = try attributes.choice("mode")
        coordinates = try attributes.choice("coordinates")
        rounding = try attributes.choice("rounding")
        guard scale > 0 else { throw attributes.refused("scale", "\(scale) is not positive") }
    }

    public var attributes: Attributes {
        Attributes(
            Self.name,
            [
                "dim": .int(dimension), "size": .int(size), "scale": .float(scale),
                "mode": .string(interpolation.rawValue), "coordinates": .string(coordinates.rawValue),
                "rounding": .string(rounding.rawValue),
            ])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        guard dimension >= 0, dimension < inputs[0].rank, inputs[0][dimension] >= 1, (1..<1 << 24).contains(size) else {
            throw OperationFailure.shapes(
                operation: name, detail: "dimension \(dimension) of \(inputs[0]) cannot have \(size) elements")
        }
        var dims = inputs[0].dims
        dims[dimension] = size
        return [Shape(dims)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: [inputs[0].shape])
        let extent = inputs[0].shape[dimension]
        let gather = Gather(dimension: dimension)
        switch interpolation {
        case .nearest:
            let places = try Tensor((0..<size).map { Int64(nearest(to: place(of: $0, extent), extent)) })
            let found = try gather.evaluate([inputs[0], places], mode)
            return Evaluation(found.outputs[0], mode) { dy, _ in
                [try found.gradients(from: dy, needed: [true, false])?[0]]
            }
        case .linear:
            let (before, behind, weights) = neighbours(extent)
            let first = try gather.evaluate([inputs[0], Tensor(before)], mode)
            let second = try gather.evaluate([inputs[0], Tensor(behind)], mode)
            var dims = [Int](repeating: 1, count: inputs[0].rank)
            dims[dimension] = size
            let share = try Tensor(weights, shape: Shape(dims))
            let rest = try share.negated().adding(1)
            let y = try first.outputs[0].multiplying(rest).adding(second.outputs[0].multiplying(share))
            return Evaluation(y, mode) { dy, _ in
                guard let a = try first.gradients(from: dy.multiplying(rest), needed: [true, false])?[0],
                    let b = try second.gradients(from: dy.multiplying(share), needed: [true, false])?[0]
                else { return [nil] }
                return [try a.adding(b)]
            }
        }
    }

    /// The place of new element `index` among the old ones, which lie at 0, 1, ….
    private func place(of index: Int, _ extent: Int) -> Double {
        let x = Double(index)
        switch coordinates {
        case .halfPixel: return (x + 0.5) / scale - 0.5
        case .pytorchHalfPixel: return size > 1 ? (x + 0.5) / scale - 0.5 : 0
        case .alignCorners: return size > 1 ? x * Double(extent - 1) / Double(size - 1) : 0
        case .asymmetric: return x / scale
        }
    }

    private func nearest(to place: Double, _ extent: Int) -> Int {
        let rounded =
            switch rounding {
            case .preferFloor: (place - 0.5).rounded(.up)
            case .preferCeiling: (place + 0.5).rounded(.down)
            case .floor: place.rounded(.down)
            case .ceil: place.rounded(.up)
            }
        return Int(min(max(rounded, 0), Double(extent - 1)))
    }

    /// The old elements before and behind each new one, and the weight of the latter.
    private func neighbours(_ extent: Int) -> (before: [Int64], behind: [Int64], weights: [Float]) {
        let places = (0..<size).map { min(max(place(of: $0, extent), 0), Double(extent - 1)) }
        let before = places.map { Int64($0.rounded(.down)) }
        return (
            before, before.map { min($0 + 1, Int64(extent - 1)) }, zip(places, before).map { Float($0 - Double($1)) }
        )
    }
}

extension Attributes {
    /// One of the names of a kind.
    func choice<Kind: RawRepresentable & CaseIterable>(_ name: String) throws -> Kind where Kind.RawValue == String {
        let text = try string(name)
        guard let kind = Kind(rawValue: text) else {
            throw refused(name, "'\(text)' is none of " + Kind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return kind
    }
}
