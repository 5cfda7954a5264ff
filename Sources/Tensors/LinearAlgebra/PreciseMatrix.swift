import COpenBLAS

/// A row-major matrix in float64, for the small problems whose digits count: cores of trains, bases, Gram matrices.
///
/// Its memory is the ledger's. Nothing changes a matrix once whoever made it has handed it on, so copies share it.
package struct PreciseMatrix: @unchecked Sendable {
    package let rows: Int
    package let columns: Int
    private let storage: Storage

    /// A matrix whose elements are not yet set.
    package init(rows: Int, columns: Int) throws {
        (self.rows, self.columns) = (rows, columns)
        storage = try Storage(byteCount: try Self.byteCount(rows, columns))
    }

    private init(_ storage: Storage, rows: Int, columns: Int) {
        (self.rows, self.columns, self.storage) = (rows, columns, storage)
    }

    private static func byteCount(_ rows: Int, _ columns: Int) throws -> Int {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        let (bytes, more) = count.multipliedReportingOverflow(by: 8)
        guard !overflow, !more else {
            throw TensorFailure.invalidArgument(operation: "float64 matrix", detail: "\(rows) × \(columns) elements are too many")
        }
        return bytes
    }

    /// The elements of a tensor, row by row.
    package init(_ tensor: Tensor, rows: Int, columns: Int) throws {
        try self.init(rows: rows, columns: columns)
        let target = base
        try tensor.withElements(of: Float.self) { source in
            for i in source.indices { target[i] = Double(source[i]) }
        }
    }

    package static func zeros(rows: Int, columns: Int) throws -> PreciseMatrix {
        let result = try PreciseMatrix(rows: rows, columns: columns)
        result.base.initialize(repeating: 0, count: result.count)
        return result
    }

    package var count: Int { rows * columns }
    /// The address of the first element; valid while a copy of the matrix lives.
    package var base: UnsafeMutablePointer<Double> { storage.pointer.assumingMemoryBound(to: Double.self) }

    package func withElements<Result>(_ body: (UnsafeMutableBufferPointer<Double>) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(storage) { try body(UnsafeMutableBufferPointer(start: base, count: count)) }
    }

    /// The same elements, as many, in rows of another length.
    package func reshaped(rows: Int, columns: Int) -> PreciseMatrix { PreciseMatrix(storage, rows: rows, columns: columns) }

    /// The first rows; no copy.
    package func leadingRows(_ count: Int) -> PreciseMatrix { PreciseMatrix(storage, rows: min(count, rows), columns: columns) }

    /// A copy of some rows.
    package func slicedRows(from start: Int, count: Int) throws -> PreciseMatrix {
        let result = try PreciseMatrix(rows: count, columns: columns)
        withElements { result.base.update(from: $0.baseAddress! + start * columns, count: count * columns) }
        return result
    }

    /// The first columns; no copy where they are all.
    package func leadingColumns(_ count: Int) throws -> PreciseMatrix {
        guard count < columns else { return self }
        let result = try PreciseMatrix(rows: rows, columns: count)
        withElements { source in
            for row in 0..<rows { (result.base + row * count).update(from: source.baseAddress! + row * columns, count: count) }
        }
        return result
    }

    package func transposed() throws -> PreciseMatrix {
        let result = try PreciseMatrix(rows: columns, columns: rows)
        withElements { source in
            for i in 0..<rows { for j in 0..<columns { result.base[j * rows + i] = source[i * columns + j] } }
        }
        return result
    }

    /// Column j times factors[j].
    package func scaledColumns(by factors: [Double]) throws -> PreciseMatrix {
        let result = try PreciseMatrix(rows: rows, columns: columns)
        withElements { source in
            for i in 0..<rows { for j in 0..<columns { result.base[i * columns + j] = source[i * columns + j] * factors[j] } }
        }
        return result
    }

    /// Row i times factors[i].
    package func scaledRows(by factors: [Double]) throws -> PreciseMatrix {
        let result = try PreciseMatrix(rows: rows, columns: columns)
        withElements { source in
            for i in 0..<rows { for j in 0..<columns { result.base[i * columns + j] = source[i * columns + j] * factors[i] } }
        }
        return result
    }

    package func multiplied(byPowerOfTwo exponent: Int) throws -> PreciseMatrix {
        let result = try PreciseMatrix(rows: rows, columns: columns)
        withElements { source in
            // One factor where float64 holds it; else each element by its own exponent.
            let factor = PowerOfTwo.value(exponent)
            if abs(exponent) < 1000 {
                for i in source.indices { result.base[i] = source[i] * factor }
            } else {
                for i in source.indices { result.base[i] = PowerOfTwo.scaled(source[i], by: exponent) }
            }
        }
        return result
    }

    /// The largest |x|.
    package var largest: Double { withElements { $0.reduce(0) { max($0, abs($1)) } } }

    /// Σx².
    package var energy: Double { withElements { Self.energy($0) } }

    /// Σx² of each row.
    package var rowEnergies: [Double] {
        withElements { elements in
            (0..<rows).map { Self.energy(UnsafeMutableBufferPointer(rebasing: elements[$0 * columns..<($0 + 1) * columns])) }
        }
    }

    private static func energy(_ elements: UnsafeMutableBufferPointer<Double>) -> Double {
        var lanes = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= elements.count {
            let x = UnsafeRawPointer(elements.baseAddress! + i).loadUnaligned(as: SIMD8<Double>.self)
            lanes += x * x
            i += 8
        }
        var total = lanes.sum()
        while i < elements.count {
            total += elements[i] * elements[i]
            i += 1
        }
        return total
    }

    /// The matrix in float32, and per column the energy ‖a − â‖² of what rounding took off it.
    package func narrowed(_ shape: Shape) throws -> (tensor: Tensor, lost: [Double]) {
        let tensor = try Tensor(uninitialized: shape)
        var lost = [Double](repeating: 0, count: columns)
        try tensor.withMutableElements(of: Float.self) { target in
            withElements { source in
                for row in 0..<rows {
                    let start = row * columns
                    for j in 0..<columns {
                        let rounded = Float(source[start + j])
                        target[start + j] = rounded
                        let apart = source[start + j] - Double(rounded)
                        lost[j] += apart * apart
                    }
                }
            }
        }
        return (tensor, lost)
    }
}
