#if canImport(Glibc)
    import Glibc
#endif

/// Functions of one operand, element by element; a not-a-number stays one. Those of float32 are the same with and without
/// a tape, because operations call them.
extension Tensor {
    /// −x; whole numbers wrap around.
    public func negated() throws -> Tensor {
        switch dtype {
        case .float32: try mapped("negate") { -$0 }
        case .int64, .uint8: try Tensor.zeros([], dtype: dtype).subtracting(self)
        }
    }

    /// |x|; the least int64 wraps around to itself.
    public func magnitude() throws -> Tensor {
        switch dtype {
        case .float32: try mapped("abs") { abs($0) }
        case .int64: try multiplying(combined(.less, .zeros([], dtype: dtype)).multiplying(-2).adding(1))
        case .uint8: self
        }
    }

    public func exponential() throws -> Tensor { try mapped("exp") { SmoothFunctions.exponential($0) } }
    public func logarithm() throws -> Tensor { try mapped("log") { logf($0) } }
    public func squareRoot() throws -> Tensor { try mapped("sqrt") { $0.squareRoot() } }
    public func hyperbolicTangent() throws -> Tensor { try mapped("tanh") { SmoothFunctions.hyperbolicTangent($0) } }
    public func sigmoid() throws -> Tensor { try mapped("sigmoid") { SmoothFunctions.sigmoid($0) } }

    /// The elements limited to [low, high].
    public func clamped(low: Double, high: Double) throws -> Tensor {
        guard low <= high else {
            throw TensorFailure.invalidArgument(operation: "clamp", detail: "low \(low) is above high \(high)")
        }
        let (low, high) = (Float(low), Float(high))
        // The zeros that fill up a block of channels must stay zeros.
        guard layout == .blocked, low <= 0, high >= 0 else { return try mapped("clamp") { min(max($0, low), high) } }
        let result = try Tensor(uninitializedActivation: shape, format: .blocked)
        Elementwise.clamp(self, low: low, high: high, into: result)
        return result
    }

    /// `gradient` where this tensor lies between the limits or is not-a-number, and 0 elsewhere.
    package func clampGradient(_ gradient: Tensor, low: Double, high: Double) throws -> Tensor {
        let (low, high) = (Float(low), Float(high))
        let x = layout == .blocked ? self : try contiguous()
        let dy = try layout == .blocked ? gradient.inFormat(.blocked) : gradient.contiguous()
        let result =
            layout == .blocked
            ? try Tensor(uninitializedActivation: shape, format: .blocked) : try Tensor(uninitialized: shape)
        withExtendedLifetime((x.storage, dy.storage, result.storage)) {
            let (v, d, out) = (x.base(Float.self), dy.base(Float.self), result.base(Float.self))
            parallelFor(x.storedElementCount, grain: Elementwise.grain) { range in
                // Both are read before anything is decided, so that the loop has no jumps: where values lie on either side by chance,
                // jumps take most of the time.
                for i in range {
                    let (value, slope) = (v[i], d[i])
                    let above = value <= low ? 0 : slope
                    out[i] = value >= high ? 0 : above
                }
            }
        }
        return result
    }

    /// max(x, 0), in the layout of this tensor; a not-a-number stays one.
    public func rectified() throws -> Tensor {
        try requireType(.float32, "relu")
        guard layout == .blocked || isContiguous else { return try contiguous().rectified() }
        let result =
            layout == .blocked
            ? try Tensor(uninitializedActivation: shape, format: .blocked) : try Tensor(uninitialized: shape)
        Elementwise.rectified(self, into: result)
        return result
    }

    /// `gradient` where this tensor, the output of ReLU, is positive or not-a-number, and 0 elsewhere.
    package func rectifierGradient(_ gradient: Tensor) throws -> Tensor {
        let y = layout == .blocked ? self : try contiguous()
        let dy = try layout == .blocked ? gradient.inFormat(.blocked) : gradient.contiguous()
        let result =
            layout == .blocked
            ? try Tensor(uninitializedActivation: shape, format: .blocked) : try Tensor(uninitialized: shape)
        withExtendedLifetime((y.storage, dy.storage, result.storage)) {
            let (v, d, out) = (y.base(Float.self), dy.base(Float.self), result.base(Float.self))
            parallelFor(y.storedElementCount, grain: Elementwise.grain) {
                for i in $0 {
                    let gradient = d[i]  // read whether or not it is used, so that the loop vectorises
                    out[i] = v[i] <= 0 ? 0 : gradient
                }
            }
        }
        return result
    }

    /// This activation times `factor`, in its own layout.
    package func scaledInLayout(by factor: Float) throws -> Tensor {
        guard layout == .blocked else { return try multiplying(Double(factor)) }
        let result = try Tensor(uninitializedActivation: shape, format: .blocked)
        withExtendedLifetime((storage, result.storage)) {
            let (x, y) = (base(Float.self), result.base(Float.self))
            parallelFor(storedElementCount, grain: Elementwise.grain) { for i in $0 { y[i] = factor * x[i] } }
        }
        return result
    }

    @inline(__always)
    private func mapped(_ operation: String, _ apply: (Float) -> Float) throws -> Tensor {
        try requireType(.float32, operation)
        let source = try contiguous()
        let result = try Tensor(uninitialized: shape)
        withExtendedLifetime((source.storage, result.storage)) {
            let (x, y) = (source.base(Float.self), result.base(Float.self))
            parallelFor(elementCount, grain: Elementwise.grain) { for i in $0 { y[i] = apply(x[i]) } }
        }
        return result
    }
}

extension Elementwise {
    /// The stored elements of `x` limited to [low, high], into a tensor of the same layout, which may be `x`.
    package static func clamp(_ x: Tensor, low: Float, high: Float, into result: Tensor) {
        withExtendedLifetime((x.storage, result.storage)) {
            let (source, target) = (x.base(Float.self), result.base(Float.self))
            parallelFor(x.storedElementCount, grain: grain) { range in
                for i in range { target[i] = limit(source[i], low, high) }
            }
        }
    }

    /// Written so that a not-a-number, with which no comparison is true, stays.
    @inline(__always)
    static func limit(_ x: Float, _ low: Float, _ high: Float) -> Float { x < low ? low : (x > high ? high : x) }
}
