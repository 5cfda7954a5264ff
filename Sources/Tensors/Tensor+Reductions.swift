#if canImport(Glibc)
    import Glibc
#endif

/// Sums, extremes and norms over all elements or along one dimension.
extension Tensor {
    /// Σ of all elements, accumulated in double precision.
    public func total() throws -> Double {
        try requireType(.float32, "sum")
        return try withElements(of: Float.self) { Vectors.sum($0) }
    }

    /// The mean of all elements.
    public func average() throws -> Double {
        try requireNonEmpty("mean")
        return try total() / Double(elementCount)
    }

    /// √Σx², the Frobenius norm.
    public func norm() throws -> Double {
        try requireType(.float32, "norm")
        return try withElements(of: Float.self) { Vectors.dot($0, $0) }.squareRoot()
    }

    public func largest() throws -> Double { try extreme("max", >) }
    public func smallest() throws -> Double { try extreme("min", <) }

    private func extreme(_ operation: String, _ isBetter: (Double, Double) -> Bool) throws -> Double {
        try requireNonEmpty(operation)
        let values = try converted(to: .float32)
        return try values.withElements(of: Float.self) { elements in
            var best = elements[0]
            for x in elements where isBetter(Double(x), Double(best)) || x.isNaN { best = x }
            return Double(best)
        }
    }

    /// Sums along `dim`, which is dropped, or kept with extent 1.
    public func sum(along dim: Int, keeping: Bool = false) throws -> Tensor {
        try reduced("sum", along: dim, keeping: keeping) { rows, step, count in
            var total = 0.0
            for i in 0..<count { total += Double(rows[i * step]) }
            return Float(total)
        }
    }

    public func mean(along dim: Int, keeping: Bool = false) throws -> Tensor {
        let d = try shape.dimension(dim, "mean")
        return try sum(along: d, keeping: keeping).multiplying(1 / Double(max(1, shape[d])))
    }

    public func maximum(along dim: Int, keeping: Bool = false) throws -> Tensor {
        try extreme("max", along: dim, keeping: keeping, worst: -.infinity, >)
    }

    public func minimum(along dim: Int, keeping: Bool = false) throws -> Tensor {
        try extreme("min", along: dim, keeping: keeping, worst: .infinity, <)
    }

    private func extreme(
        _ operation: String, along dim: Int, keeping: Bool, worst: Float, _ isBetter: (Float, Float) -> Bool
    ) throws -> Tensor {
        let d = try shape.dimension(dim, operation)
        guard shape[d] > 0 else {
            throw TensorFailure.shapeMismatch(
                operation: operation, detail: "needs an element to choose along the dimension, but got \(shape)")
        }
        return try reduced(operation, along: d, keeping: keeping) { rows, step, count in
            var best = worst
            // A not-a-number is kept: no comparison with it is true.
            for i in 0..<count where isBetter(rows[i * step], best) || rows[i * step].isNaN { best = rows[i * step] }
            return best
        }
    }

    /// The index of the largest element along the last dimension, as int64; the first of equals.
    public func argmax() throws -> Tensor {
        try requireType(.float32, "argmax")
        guard let width = shape.dims.last, width > 0 else {
            throw TensorFailure.shapeMismatch(operation: "argmax", detail: "\(shape) has no last dimension to search")
        }
        let result = try Tensor(uninitialized: Shape(Array(shape.dims.dropLast())), dtype: .int64)
        try withElements(of: Float.self) { source in
            try result.withMutableElements(of: Int64.self) { target in
                for row in target.indices {
                    let start = row * width
                    var best = 0
                    for i in 1..<max(1, width) where source[start + i] > source[start + best] { best = i }
                    target[row] = Int64(best)
                }
            }
        }
        return result
    }

    private func reduced(
        _ operation: String, along dim: Int, keeping: Bool, _ reduce: (UnsafePointer<Float>, Int, Int) -> Float
    ) throws -> Tensor {
        try requireType(.float32, operation)
        let d = try shape.dimension(dim, operation)
        var dims = shape.dims
        dims[d] = 1
        let kept = try Tensor(uninitialized: Shape(dims))
        let inner = shape.dims[(d + 1)...].reduce(1, *)
        let count = shape[d]
        try withElements(of: Float.self) { source in
            try kept.withMutableElements(of: Float.self) { target in
                guard !target.isEmpty, let start = source.baseAddress else { return }
                for i in target.indices {
                    target[i] = reduce(start + i / inner * inner * count + i % inner, inner, count)
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

/// Reductions over vectors with several accumulators, because float addition does not reorder by itself.
package enum Vectors {
    package static func sum(_ x: UnsafeBufferPointer<Float>) -> Double {
        var lanes = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= x.count {
            lanes += SIMD8<Double>(UnsafeRawPointer(x.baseAddress! + i).loadUnaligned(as: SIMD8<Float>.self))
            i += 8
        }
        var total = lanes.sum()
        while i < x.count {
            total += Double(x[i])
            i += 1
        }
        return total
    }

    /// Σ xᵢ yᵢ in double precision.
    package static func dot(_ x: UnsafeBufferPointer<Float>, _ y: UnsafeBufferPointer<Float>) -> Double {
        var lanes = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= x.count {
            let a = SIMD8<Double>(UnsafeRawPointer(x.baseAddress! + i).loadUnaligned(as: SIMD8<Float>.self))
            let b = SIMD8<Double>(UnsafeRawPointer(y.baseAddress! + i).loadUnaligned(as: SIMD8<Float>.self))
            lanes += a * b
            i += 8
        }
        var total = lanes.sum()
        while i < x.count {
            total += Double(x[i]) * Double(y[i])
            i += 1
        }
        return total
    }
}

/// Softmax over the last dimension.
extension Tensor {
    /// exp(xᵢ) / Σ exp(xⱼ), shifted by the maximum so that nothing overflows.
    public func softmax() throws -> Tensor { try logSoftmax("softmax").exponential() }

    /// xᵢ − log Σ exp(xⱼ).
    public func logSoftmax() throws -> Tensor { try logSoftmax("log_softmax") }

    private func logSoftmax(_ operation: String) throws -> Tensor {
        try requireType(.float32, operation)
        guard let width = shape.dims.last, width > 0 else {
            throw TensorFailure.shapeMismatch(operation: operation, detail: "\(shape) has no last dimension")
        }
        let result = try Tensor(uninitialized: shape)
        try withElements(of: Float.self) { source in
            try result.withMutableElements(of: Float.self) { target in
                for row in stride(from: 0, to: source.count, by: width) {
                    var peak = source[row]
                    for i in 1..<max(1, width) { peak = max(peak, source[row + i]) }
                    var sum = 0.0
                    for i in 0..<width { sum += Double(expf(source[row + i] - peak)) }
                    let shift = peak + Float(log(sum))
                    for i in 0..<width { target[row + i] = source[row + i] - shift }
                }
            }
        }
        return result
    }
}
