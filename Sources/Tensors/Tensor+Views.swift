/// Views: other shapes on the same storage wherever the strides allow it.
extension Tensor {
    /// The same elements in another shape; one extent may be −1 and is worked out.
    /// - Throws: `shapeMismatch` when the number of elements differs.
    public func reshaped(_ target: Shape) throws -> Tensor {
        var dims = target.dims
        if let open = dims.firstIndex(of: -1) {
            let others = Shape(dims.enumerated().filter { $0.offset != open }.map(\.element))
            guard others.dims.allSatisfy({ $0 > 0 }) else { throw reshapeFailure(target) }
            let known = try others.validated("reshape", elementBytes: dtype.byteCount).elementCount
            guard elementCount % known == 0 else { throw reshapeFailure(target) }
            dims[open] = elementCount / known
        }
        let shape = try Shape(dims).validated("reshape", elementBytes: dtype.byteCount)
        guard shape.elementCount == elementCount else { throw reshapeFailure(target) }
        let plain = try contiguous()
        guard case .strided(_, let offset) = plain.layout else { throw reshapeFailure(target) }
        return Tensor(
            storage: plain.storage, shape: shape, dtype: dtype,
            layout: .strided(shape.contiguousStrides, offset: offset))
    }

    private func reshapeFailure(_ target: Shape) -> TensorFailure {
        .shapeMismatch(
            operation: "reshape", detail: "\(shape) has \(elementCount) elements and cannot become \(target)")
    }

    /// Dimension d of the result is dimension `order[d]` of this tensor.
    public func permuted(_ order: [Int]) throws -> Tensor {
        guard order.sorted() == Array(0..<rank) else {
            throw TensorFailure.invalidArgument(
                operation: "permute", detail: "\(order) is no order of the dimensions of \(shape)")
        }
        let (strides, offset, source) = try stridedParts()
        return Tensor(
            storage: source.storage, shape: Shape(order.map { shape[$0] }), dtype: dtype,
            layout: .strided(order.map { strides[$0] }, offset: offset))
    }

    /// A matrix with rows and columns exchanged.
    public func transposed() throws -> Tensor {
        try requireRank(2, "transpose")
        return try permuted([1, 0])
    }

    /// The elements `start ..< end` of dimension `dim`, every `step`-th one.
    /// - Throws: `invalidArgument` unless 0 ≤ start ≤ end ≤ extent and step ≥ 1.
    public func sliced(dim: Int, from start: Int, to end: Int, by step: Int = 1) throws -> Tensor {
        let d = try shape.dimension(dim, "slice")
        guard start >= 0, start <= end, end <= shape[d], step >= 1 else {
            throw TensorFailure.invalidArgument(
                operation: "slice", detail: "\(start)..<\(end) by \(step) does not fit dimension \(d) of \(shape)")
        }
        var (strides, offset, source) = try stridedParts()
        var dims = shape.dims
        dims[d] = end > start ? (end - start - 1) / step + 1 : 0
        if dims[d] > 0 { offset += start * strides[d] }
        strides[d] *= min(step, max(1, shape[d]))  // a longer step reaches no second element
        return Tensor(
            storage: source.storage, shape: Shape(dims), dtype: dtype, layout: .strided(strides, offset: offset))
    }

    /// The part at `index` of dimension `dim`, without that dimension.
    public func selected(dim: Int, index: Int) throws -> Tensor {
        let d = try shape.dimension(dim, "select")
        guard index >= 0, index < shape[d] else {
            throw TensorFailure.indexOutOfRange(operation: "select", what: "index", index: index, count: shape[d])
        }
        return try sliced(dim: d, from: index, to: index + 1).squeezed(dim: d)
    }

    /// Without dimension `dim`, whose extent must be 1.
    public func squeezed(dim: Int) throws -> Tensor {
        let d = try shape.dimension(dim, "squeeze")
        guard shape[d] == 1 else {
            throw TensorFailure.shapeMismatch(
                operation: "squeeze", detail: "dimension \(d) of \(shape) has an extent other than 1")
        }
        var (strides, offset, source) = try stridedParts()
        var dims = shape.dims
        dims.remove(at: d)
        strides.remove(at: d)
        return Tensor(
            storage: source.storage, shape: Shape(dims), dtype: dtype, layout: .strided(strides, offset: offset))
    }

    /// With a new dimension of extent 1 before dimension `dim` (0…rank).
    public func unsqueezed(dim: Int) throws -> Tensor {
        guard dim >= 0, dim <= rank else {
            throw TensorFailure.indexOutOfRange(operation: "unsqueeze", what: "dimension", index: dim, count: rank + 1)
        }
        var (strides, offset, source) = try stridedParts()
        var dims = shape.dims
        dims.insert(1, at: dim)
        strides.insert(0, at: dim)
        let shape = try Shape(dims).validated("unsqueeze", elementBytes: dtype.byteCount)
        return Tensor(
            storage: source.storage, shape: shape, dtype: dtype, layout: .strided(strides, offset: offset))
    }

    /// Repeated along dimensions of extent 1 to fill `target`, without copying.
    public func broadcast(to target: Shape) throws -> Tensor {
        let target = try target.validated("broadcast", elementBytes: dtype.byteCount)
        guard try Shape.broadcast(shape, target, operation: "broadcast") == target else {
            throw TensorFailure.shapeMismatch(operation: "broadcast", detail: "\(shape) does not fill \(target)")
        }
        let (_, offset, source) = try stridedParts()
        return Tensor(
            storage: source.storage, shape: target, dtype: dtype,
            layout: .strided(source.broadcastStrides(to: target), offset: offset))
    }

    /// Strides of this tensor seen as `target`: 0 along repeated dimensions.
    func broadcastStrides(to target: Shape) -> [Int] {
        guard case .strided(let strides, _) = layout else { return target.contiguousStrides }
        return (0..<target.rank).map { d in
            let own = d - target.rank + rank
            return own < 0 || (shape[own] == 1 && target[d] != 1) ? 0 : strides[own]
        }
    }

    private func stridedParts() throws -> (strides: [Int], offset: Int, source: Tensor) {
        if case .strided(let strides, let offset) = layout { return (strides, offset, self) }
        let plain = try copy()
        return (shape.contiguousStrides, 0, plain)
    }

    /// Tensors put one after another along dimension `dim`; the other extents must agree.
    public static func concatenated(_ tensors: [Tensor], dim: Int) throws -> Tensor {
        guard let first = tensors.first else {
            throw TensorFailure.invalidArgument(operation: "concatenate", detail: "needs at least one tensor")
        }
        let d = try first.shape.dimension(dim, "concatenate")
        var dims = first.shape.dims
        dims[d] = 0
        for tensor in tensors {
            try tensor.requireType(first.dtype, "concatenate")
            let agrees = tensor.rank == first.rank && (0..<first.rank).allSatisfy { $0 == d || tensor.shape[$0] == first.shape[$0] }
            guard agrees else {
                throw TensorFailure.shapeMismatch(
                    operation: "concatenate",
                    detail: "\(first.shape) and \(tensor.shape) differ beside dimension \(d)")
            }
            dims[d] += tensor.shape[d]
        }
        let result = try Tensor(uninitialized: Shape(dims), dtype: first.dtype)
        let bytes = first.dtype.byteCount
        let outer = dims[..<d].reduce(1, *)
        let inner = dims[(d + 1)...].reduce(bytes, *)
        var position = 0
        for tensor in tensors {
            let plain = try tensor.contiguous()
            let chunk = tensor.shape[d] * inner
            withExtendedLifetime((plain.storage, result.storage)) {
                let source = UnsafeRawPointer(plain.rawBase)
                for o in 0..<outer {
                    (result.storage.pointer + o * dims[d] * inner + position).copyMemory(
                        from: source + o * chunk, byteCount: chunk)
                }
            }
            position += chunk
        }
        return result
    }

    /// Rows `indices` of dimension 0, in that order.
    /// - Throws: `indexOutOfRange` naming the first bad index.
    public func gathered(rows indices: [Int]) throws -> Tensor {
        guard rank >= 1 else {
            throw TensorFailure.shapeMismatch(operation: "gather", detail: "a scalar has no rows")
        }
        let plain = try contiguous()
        let rowBytes = shape.dims.dropFirst().reduce(dtype.byteCount, *)
        let result = try Tensor(uninitialized: Shape([indices.count] + shape.dims.dropFirst()), dtype: dtype)
        let source = UnsafeRawPointer(plain.rawBase)
        try withExtendedLifetime((plain.storage, result.storage)) {
            for (position, index) in indices.enumerated() {
                guard index >= 0, index < shape[0] else {
                    throw TensorFailure.indexOutOfRange(operation: "gather", what: "row", index: index, count: shape[0])
                }
                (result.storage.pointer + position * rowBytes).copyMemory(from: source + index * rowBytes, byteCount: rowBytes)
            }
        }
        return result
    }
}
