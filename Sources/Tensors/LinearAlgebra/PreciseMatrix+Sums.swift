/// Sums and scaling. What changes a matrix in place is for whoever made it and has not handed it on.
extension PreciseMatrix {
    /// A float32 tensor; other ranks than 2 lie as their first extent times the rest.
    package init(_ tensor: Tensor) throws {
        let rows = tensor.shape.dims.first ?? 1
        try self.init(tensor, rows: rows, columns: tensor.elementCount / max(1, rows))
    }

    /// Rounded to float32: [rows, columns].
    package func tensor() throws -> Tensor { try narrowed([rows, columns]).tensor }

    package func copy() throws -> PreciseMatrix {
        let result = try PreciseMatrix(rows: rows, columns: columns)
        withElements { if let from = $0.baseAddress { result.base.update(from: from, count: count) } }
        return result
    }

    /// Adds `other` times `factor` in place.
    package func add(_ other: PreciseMatrix, times factor: Double = 1) {
        withElements { to in other.withElements { from in for i in to.indices { to[i] += factor * from[i] } } }
    }

    /// self + `factor` · `other`, as a new matrix.
    package func adding(_ other: PreciseMatrix, times factor: Double = 1) throws -> PreciseMatrix {
        let result = try copy()
        result.add(other, times: factor)
        return result
    }

    /// self · `share` − a bᵀ, as a new matrix.
    package func scaled(by share: Double, less a: [Double], _ b: [Double]) throws -> PreciseMatrix {
        let result = try copy()
        result.withElements { elements in
            for i in 0..<rows { for j in 0..<columns { elements[i * columns + j] = elements[i * columns + j] * share - a[i] * b[j] } }
        }
        return result
    }

    package var trace: Double { withElements { elements in (0..<min(rows, columns)).reduce(0) { $0 + elements[$1 * columns + $1] } } }
    package var isFinite: Bool { withElements { $0.allSatisfy(\.isFinite) } }

    /// The elements of row `index`; valid while a copy of the matrix lives.
    package func row(_ index: Int) -> UnsafeBufferPointer<Double> {
        UnsafeBufferPointer(start: base + index * columns, count: columns)
    }
}
