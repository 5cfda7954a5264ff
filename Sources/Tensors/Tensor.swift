/// An n-dimensional array on storage that views share.
///
/// Its elements never change for users of the library, so tensors may go from thread to thread. Inside of it, a tensor
/// that is being made is written by the thread that makes it, and scripts assign to tensors of their own state.
///
/// Values are plain row-major float32, int64 or uint8 to every reader; activations inside a network may lie in the
/// blocked layout that oneDNN prefers, and are put in row-major order when something else reads them.
public struct Tensor: @unchecked Sendable {
    package private(set) var storage: Storage
    public let shape: Shape
    public let dtype: DType
    package let layout: Layout

    package init(storage: Storage, shape: Shape, dtype: DType, layout: Layout) {
        self.storage = storage
        self.shape = shape
        self.dtype = dtype
        self.layout = layout
    }

    /// A row-major tensor whose elements are not yet set.
    package init(uninitialized shape: Shape, dtype: DType = .float32) throws {
        let shape = try shape.validated("tensor", elementBytes: dtype.byteCount)
        let storage = try Storage(byteCount: shape.elementCount * dtype.byteCount)
        self.init(
            storage: storage, shape: shape, dtype: dtype, layout: .strided(shape.contiguousStrides, offset: 0))
    }

    /// Whether no other tensor or view shares the memory, so that whoever holds this tensor may overwrite it.
    package var isSoleOwner: Bool {
        mutating get { isKnownUniquelyReferenced(&storage) }
    }

    public var rank: Int { shape.rank }
    public var elementCount: Int { shape.elementCount }
    /// Bytes of the elements, not counting padding of the layout or what other views of the storage see.
    public var byteCount: Int { elementCount * dtype.byteCount }

    /// Whether the elements lie row-major without gaps.
    package var isContiguous: Bool {
        guard case .strided(let strides, _) = layout else { return false }
        var expected = 1
        for d in stride(from: rank - 1, through: 0, by: -1) {
            if shape[d] != 1, strides[d] != expected { return elementCount == 0 }
            expected *= shape[d]
        }
        return true
    }

    /// The address of the first element; valid while the storage lives.
    package func base<Element: TensorElement>(_ type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
        let start = storage.pointer.assumingMemoryBound(to: Element.self)
        guard case .strided(_, let offset) = layout else { return start }
        return start + offset
    }

    /// `base` without a type.
    package var rawBase: UnsafeMutableRawPointer {
        guard case .strided(_, let offset) = layout else { return storage.pointer }
        return storage.pointer + offset * dtype.byteCount
    }

    /// - Throws: `typeMismatch` unless the elements are of `expected`.
    package func requireType(_ expected: DType, _ operation: String) throws {
        guard dtype == expected else {
            throw TensorFailure.typeMismatch(operation: operation, expected: expected.rawValue, got: dtype)
        }
    }

    /// - Throws: `shapeMismatch` unless the rank is `expected`.
    package func requireRank(_ expected: Int, _ operation: String) throws {
        guard rank == expected else {
            throw TensorFailure.shapeMismatch(
                operation: operation, detail: "needs a tensor of rank \(expected), but got \(shape)")
        }
    }

    /// Reads the elements in row-major order (copying first where they lie otherwise).
    /// - Throws: `typeMismatch` when the element type is another.
    public func withElements<Element: TensorElement, Result>(
        of type: Element.Type = Element.self, _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) throws -> Result {
        try requireType(Element.dtype, "read")
        let plain = try contiguous()
        return try withExtendedLifetime(plain.storage) {
            try body(UnsafeBufferPointer(start: plain.base(Element.self), count: plain.elementCount))
        }
    }

    /// Writes to the elements in place, for tensors that are being made; every view of the storage sees it.
    /// - Throws: `typeMismatch`, or `invalidArgument` when the tensor is a view with gaps.
    package func withMutableElements<Element: TensorElement, Result>(
        of type: Element.Type = Element.self, _ body: (UnsafeMutableBufferPointer<Element>) throws -> Result
    ) throws -> Result {
        try requireType(Element.dtype, "write")
        guard isContiguous else {
            throw TensorFailure.invalidArgument(
                operation: "write", detail: "a view of shape \(shape) with gaps cannot be written in place")
        }
        return try withExtendedLifetime(storage) {
            try body(UnsafeMutableBufferPointer(start: base(Element.self), count: elementCount))
        }
    }

    /// The elements as an array, row-major.
    public func array<Element: TensorElement>(of type: Element.Type = Element.self) throws -> [Element] {
        try withElements(of: type) { Array($0) }
    }

    /// The same elements in row-major order: itself when they lie so already.
    public func contiguous() throws -> Tensor { isContiguous ? self : try copy() }

    /// A row-major copy on storage of its own.
    public func copy() throws -> Tensor {
        let result = try Tensor(uninitialized: shape, dtype: dtype)
        switch layout {
        case .blocked: try Reorder.run(self, into: result, from: .blocked, to: .plain)
        case .strided(let strides, _):
            withExtendedLifetime((storage, result.storage)) {
                if isContiguous {
                    result.rawBase.copyMemory(from: rawBase, byteCount: byteCount)
                } else {
                    switch dtype {
                    case .float32: gather(from: base(Float.self), strides, shape.dims, into: result.base())
                    case .int64: gather(from: base(Int64.self), strides, shape.dims, into: result.base())
                    case .uint8: gather(from: base(UInt8.self), strides, shape.dims, into: result.base())
                    }
                }
            }
        }
        return result
    }
}

/// Copies strided elements to consecutive ones.
private func gather<Element>(
    from source: UnsafePointer<Element>, _ strides: [Int], _ dims: [Int], into target: UnsafeMutablePointer<Element>
) {
    guard !dims.contains(0) else { return }
    guard let inner = dims.last else { return target.pointee = source.pointee }
    var walker = StridedWalker(dims: Array(dims.dropLast()), strides: [Array(strides.dropLast())])
    let step = strides[strides.count - 1]
    var out = target
    repeat {
        let row = source + walker.offsets[0]
        if step == 1 {
            out.update(from: row, count: inner)
        } else {
            for i in 0..<inner { out[i] = row[i * step] }
        }
        out += inner
    } while walker.advance()
}

/// Counts through the outer dimensions of several strided operands at once.
struct StridedWalker {
    private let dims: [Int]
    private let strides: [[Int]]
    private var index: [Int]
    private(set) var offsets: [Int]

    init(dims: [Int], strides: [[Int]]) {
        self.dims = dims
        self.strides = strides
        index = [Int](repeating: 0, count: dims.count)
        offsets = [Int](repeating: 0, count: strides.count)
    }

    /// Goes to the next position; `false` after the last.
    mutating func advance() -> Bool {
        for d in stride(from: dims.count - 1, through: 0, by: -1) {
            index[d] += 1
            if index[d] < dims[d] {
                for s in offsets.indices { offsets[s] += strides[s][d] }
                return true
            }
            for s in offsets.indices { offsets[s] -= strides[s][d] * (dims[d] - 1) }
            index[d] = 0
        }
        return false
    }
}
