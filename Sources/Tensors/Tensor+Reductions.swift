/// Sums, extremes and norms over all elements or along one dimension.
///
/// Sums and means of float32 are worked out in double precision and rounded once. Whole numbers are exact: extremes
/// keep their type, sums are int64 and wrap around. A not-a-number wins wherever the largest or smallest is asked for, as
/// in NumPy and PyTorch.
extension Tensor {
    /// Σ of all elements, accumulated in double precision.
    /// - Throws: `typeMismatch` for whole numbers, whose sum need not be a `Double`; `sum` has it.
    public func total() throws -> Double {
        try requireType(.float32, "sum")
        return try withElements(of: Float.self) { Vectors.sum($0) }
    }

    /// Σ of all elements as a scalar: float32 of float32, int64 of whole numbers.
    public func sum() throws -> Tensor {
        switch dtype {
        case .float32: try .full([], total())
        case .int64: try Tensor([withElements(of: Int64.self) { $0.reduce(0, &+) }], shape: [])
        case .uint8: try converted(to: .int64).sum()
        }
    }

    /// The mean of all elements.
    public func average() throws -> Double {
        try requireNonEmpty("mean")
        switch dtype {
        case .float32: return try total() / Double(elementCount)
        case .int64: return try withElements(of: Int64.self) { Double($0.reduce(0) { $0 + Int128($1) }) / Double($0.count) }
        case .uint8: return try converted(to: .int64).average()
        }
    }

    /// √Σx², the Frobenius norm.
    public func norm() throws -> Double {
        try requireType(.float32, "norm")
        return try withElements(of: Float.self) { Vectors.dot($0, $0) }.squareRoot()
    }

    public func largest() throws -> Double { try maximum().scalar() }
    public func smallest() throws -> Double { try minimum().scalar() }

    /// The largest element as a scalar of this type.
    public func maximum() throws -> Tensor { try flattened("max").maximum(along: 0) }
    /// The smallest element as a scalar of this type.
    public func minimum() throws -> Tensor { try flattened("min").minimum(along: 0) }

    private func flattened(_ operation: String) throws -> Tensor {
        try requireNonEmpty(operation)
        return try reshaped([elementCount])
    }

    /// Sums along `dim`, which is dropped, or kept with extent 1: float32 of float32, int64 of whole numbers.
    public func sum(along dim: Int, keeping: Bool = false) throws -> Tensor {
        switch dtype {
        case .float32: try summed("sum", along: dim, keeping: keeping) { total, _ in Float(total) }
        case .int64:
            try reduced("sum", along: dim, keeping: keeping, Int64.self, Int64.self) { rows, step, count in
                (0..<count).reduce(0) { $0 &+ rows[$1 * step] }
            }
        case .uint8: try converted(to: .int64).sum(along: dim, keeping: keeping)
        }
    }

    /// Means along `dim` as float32; 0 where there is nothing.
    public func mean(along dim: Int, keeping: Bool = false) throws -> Tensor {
        switch dtype {
        case .float32: try summed("mean", along: dim, keeping: keeping) { Float($0 / Double(max(1, $1))) }
        case .int64:
            try reduced("mean", along: dim, keeping: keeping, Int64.self, Float.self) { rows, step, count in
                Float(Double((0..<count).reduce(0) { $0 + Int128(rows[$1 * step]) }) / Double(max(1, count)))
            }
        case .uint8: try converted(to: .int64).mean(along: dim, keeping: keeping)
        }
    }

    public func maximum(along dim: Int, keeping: Bool = false) throws -> Tensor {
        switch dtype {
        case .float32: try extreme("max", along: dim, keeping: keeping, Float.self, >)
        case .int64: try extreme("max", along: dim, keeping: keeping, Int64.self, >)
        case .uint8: try extreme("max", along: dim, keeping: keeping, UInt8.self, >)
        }
    }

    public func minimum(along dim: Int, keeping: Bool = false) throws -> Tensor {
        switch dtype {
        case .float32: try extreme("min", along: dim, keeping: keeping, Float.self, <)
        case .int64: try extreme("min", along: dim, keeping: keeping, Int64.self, <)
        case .uint8: try extreme("min", along: dim, keeping: keeping, UInt8.self, <)
        }
    }

    @inline(__always)
    private func extreme<Element: TensorElement & Comparable>(
        _ operation: String, along dim: Int, keeping: Bool, _: Element.Type, _ isBetter: (Element, Element) -> Bool
    ) throws -> Tensor {
        let d = try shape.dimension(dim, operation)
        guard shape[d] > 0 else {
            throw TensorFailure.shapeMismatch(
                operation: operation, detail: "needs an element to choose along the dimension, but got \(shape)")
        }
        return try reduced(operation, along: d, keeping: keeping, Element.self, Element.self) { rows, step, count in
            rows[best(rows, step, count, isBetter) * step]
        }
    }

    /// The index of the largest element along the last dimension, as int64: the first of equals, or of not-a-numbers.
    public func argmax() throws -> Tensor {
        guard let width = shape.dims.last, width > 0 else {
            throw TensorFailure.shapeMismatch(operation: "argmax", detail: "\(shape) has no last dimension to search")
        }
        switch dtype {
        case .float32: return try indices(Float.self)
        case .int64: return try indices(Int64.self)
        case .uint8: return try indices(UInt8.self)
        }
    }

    private func indices<Element: TensorElement & Comparable>(_: Element.Type) throws -> Tensor {
        try reduced("argmax", along: -1, keeping: false, Element.self, Int64.self) { rows, step, count in
            Int64(best(rows, step, count, >))
        }
    }

    /// What a classifier with these logits says of each row: the index of the largest, or `nil` where the row holds a
    /// not-a-number and so says nothing.
    public func predictedClasses() throws -> [Int?] {
        try requireType(.float32, "predicted classes")
        let found = try argmax().array(of: Int64.self)
        return try zip(found, maximum(along: -1).array(of: Float.self)).map { $1.isNaN ? nil : Int($0) }
    }

    /// `reduce` of the elements along `dim`, which it gets as the address of the first, their distance and their number.
    @inline(__always)
    private func reduced<From: TensorElement, To: TensorElement>(
        _ operation: String, along dim: Int, keeping: Bool, _: From.Type, _: To.Type,
        _ reduce: (UnsafePointer<From>, Int, Int) -> To
    ) throws -> Tensor {
        let d = try shape.dimension(dim, operation)
        let kept = try Tensor(uninitialized: without(d), dtype: To.dtype)
        let inner = shape.dims[(d + 1)...].reduce(1, *)
        let count = shape[d]
        let source = try contiguous()
        withExtendedLifetime((source.storage, kept.storage)) {
            let (start, target) = (source.base(From.self), kept.base(To.self))
            parallelFor(kept.elementCount, grain: max(1, Elementwise.grain / max(1, count))) {
                for i in $0 { target[i] = reduce(start + i / inner * inner * count + i % inner, inner, count) }
            }
        }
        return keeping ? kept : try kept.squeezed(dim: d)
    }

    /// The shape with extent 1 for dimension `d`.
    private func without(_ d: Int) -> Shape {
        var dims = shape.dims
        dims[d] = 1
        return Shape(dims)
    }

    /// What `finish` makes of the sums of float32 elements along `dim` and of their number.
    private func summed(
        _ operation: String, along dim: Int, keeping: Bool, _ finish: (Double, Int) -> Float
    ) throws -> Tensor {
        let d = try shape.dimension(dim, operation)
        let kept = try Tensor(uninitialized: without(d))
        let inner = shape.dims[(d + 1)...].reduce(1, *)
        let count = shape[d]
        let source = try contiguous()
        withExtendedLifetime((source.storage, kept.storage)) {
            let (start, target) = (source.base(Float.self), kept.base(Float.self))
            if inner == 1 {
                parallelFor(kept.elementCount, grain: max(1, Elementwise.grain / max(1, count))) {
                    for i in $0 { target[i] = finish(Vectors.sum(.init(start: start + i * count, count: count)), count) }
                }
                return
            }
            // Row after row into sums side by side, which reads memory in its order.
            let stretch = Vectors.stretch
            let stretches = (inner + stretch - 1) / stretch
            parallelFor(kept.elementCount / max(1, inner) * stretches, grain: max(1, Elementwise.grain / max(1, count * min(inner, stretch)))) {
                for part in $0 {
                    let (outer, first) = (part / stretches, part % stretches * stretch)
                    let width = min(stretch, inner - first)
                    Vectors.sumRows(start + outer * count * inner + first, rows: count, apart: inner, width: width) { i, total in
                        target[outer * inner + first + i] = finish(total, count)
                    }
                }
            }
        }
        return keeping ? kept : try kept.squeezed(dim: d)
    }

    private func requireNonEmpty(_ operation: String) throws {
        guard elementCount > 0 else {
            throw TensorFailure.shapeMismatch(operation: operation, detail: "needs at least one element, but got \(shape)")
        }
    }
}

/// The position of the best of `count` elements `step` apart: the first of equals. The first not-a-number is best, as
/// no comparison with one is true.
@inline(__always)
private func best<Element: Comparable>(
    _ x: UnsafePointer<Element>, _ step: Int, _ count: Int, _ isBetter: (Element, Element) -> Bool
) -> Int {
    var found = 0
    for i in 0..<count {
        let value = x[i * step]
        if value != value { return i }
        if isBetter(value, x[found * step]) { found = i }
    }
    return found
}
