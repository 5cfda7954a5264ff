import COpenBLAS

/// Sums over columns x, and over columns y beside them, that come a part at a time: Σ x xᵀ, Σ y xᵀ, Σ x, Σ y and Σ y².
///
/// Products of a few thousand columns are formed in float32, and their sums go on in double, so that the number of columns
/// costs no digits. What still does is a mean that is large beside the deviation: whoever wants covariances takes an
/// estimate of the mean off first.
package final class ColumnMoments {
    package let width: Int
    package let outputWidth: Int
    package private(set) var count = 0
    private let total: PartialMoments

    /// - Parameters:
    ///   - width: elements of x.
    ///   - outputWidth: elements of y; 0 where there is none.
    package init(width: Int, outputWidth: Int = 0) throws {
        (self.width, self.outputWidth) = (width, outputWidth)
        total = try PartialMoments(width, outputWidth)
    }

    /// - Parameters:
    ///   - x: [width, n].
    ///   - y: [outputWidth, n].
    /// - Complexity: O(width · (width + outputWidth) · n).
    package func add(_ x: Tensor, _ y: Tensor? = nil) throws {
        try x.requireType(.float32, "moments")
        try y?.requireType(.float32, "moments")
        let (columns, outputs) = try (x.contiguous(), y?.contiguous())
        let length = x.shape[1]
        guard x.shape == [width, length], y.map({ $0.shape == [outputWidth, length] }) ?? (outputWidth == 0) else {
            throw TensorFailure.shapeMismatch(
                operation: "moments", detail: "need columns [\(width), n] and [\(outputWidth), n], but got \(x.shape) and \(y?.shape ?? [])")
        }
        // A short, very long matrix: each thread sums its own part, because BLAS divides the order alone.
        let workers = max(1, min(Threads.count, length / max(1, 4 * width)))
        let partials = try [total] + (1..<workers).map { _ in try PartialMoments(width, outputWidth) }
        let scratch = try partials.map { _ in try Tensor(uninitialized: [max(width, outputWidth), width]) }
        let (from, beside) = (columns.base(Float.self), outputs?.base(Float.self))
        withExtendedLifetime((columns.storage, outputs?.storage, scratch)) {
            OpenBLAS.call {
                parallelFor(workers, grain: 1) { range in
                    for worker in range {
                        let part = length * worker / workers..<length * (worker + 1) / workers
                        partials[worker].add(from, beside, stride: length, part, scratch[worker].base(Float.self))
                    }
                }
            }
        }
        for other in partials.dropFirst() { total.take(other) }
        count += length
    }

    /// What has been summed up so far.
    package func totals() -> Totals {
        total.gram.mirror()
        return Totals(
            count: count, gram: total.gram, mixed: total.mixed, sums: Array(total.sums.row(0)),
            outputSums: Array(total.outputSums.row(0)), outputSquares: Array(total.outputSquares.row(0)))
    }

    package struct Totals {
        package let count: Int
        /// Σ x xᵀ [width, width].
        package let gram: PreciseMatrix
        /// Σ y xᵀ [outputWidth, width].
        package let mixed: PreciseMatrix
        package let sums: [Double]
        package let outputSums: [Double]
        package let outputSquares: [Double]
    }
}

/// The sums of one thread.
private final class PartialMoments {
    /// Columns whose products are summed in float32.
    private static let chunk = 4096

    /// Row-major, of which the right upper triangle is summed up.
    let gram: PreciseMatrix
    let mixed: PreciseMatrix
    let sums: PreciseMatrix
    let outputSums: PreciseMatrix
    let outputSquares: PreciseMatrix

    init(_ width: Int, _ outputWidth: Int) throws {
        gram = try PreciseMatrix.zeros(rows: width, columns: width)
        mixed = try PreciseMatrix.zeros(rows: outputWidth, columns: width)
        sums = try PreciseMatrix.zeros(rows: 1, columns: width)
        outputSums = try PreciseMatrix.zeros(rows: 1, columns: outputWidth)
        outputSquares = try PreciseMatrix.zeros(rows: 1, columns: outputWidth)
    }

    /// Adds the columns `part` of x and y, whose rows lie `stride` apart.
    /// - Parameter scratch: room for one matrix of products.
    func add(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>?, stride: Int, _ part: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) {
        for start in Swift.stride(from: part.lowerBound, to: part.upperBound, by: Self.chunk) {
            let length = min(Self.chunk, part.upperBound - start)
            addProducts(x + start, y.map { $0 + start }, stride, length, scratch)
            for i in 0..<sums.columns {
                sums.base[i] += Vectors.sum(UnsafeBufferPointer(start: x + i * stride + start, count: length))
            }
            guard let y else { continue }
            for i in 0..<outputSums.columns {
                let row = UnsafeBufferPointer(start: y + i * stride + start, count: length)
                outputSums.base[i] += Vectors.sum(row)
                outputSquares.base[i] += Vectors.dot(row, row)
            }
        }
    }

    private func addProducts(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>?, _ stride: Int, _ length: Int, _ to: UnsafeMutablePointer<Float>) {
        let (width, outputs) = (gram.columns, mixed.rows)
        var (n, depth, apart, one, zero) = (Int32(width), Int32(length), Int32(stride), Float(1), Float(0))
        // Row-major X is column-major Xᵀ; the lower triangle of the one is the upper of the other.
        OpenBLAS.call { ssyrk_("L", "T", &n, &depth, &one, x, &apart, &zero, to, &n) }
        for i in 0..<width {
            let (sum, row) = (gram.base + i * width, to + i * width)
            for j in i..<width { sum[j] += Double(row[j]) }
        }
        guard let y else { return }
        var m = Int32(outputs)
        OpenBLAS.call { sgemm_("T", "N", &n, &m, &depth, &one, x, &apart, y, &apart, &zero, to, &n) }
        let sum = mixed.base
        for i in 0..<outputs * width { sum[i] += Double(to[i]) }
    }

    /// Moves the sums of `other` here.
    func take(_ other: PartialMoments) {
        gram.add(other.gram)
        mixed.add(other.mixed)
        sums.add(other.sums)
        outputSums.add(other.outputSums)
        outputSquares.add(other.outputSquares)
    }
}

extension PreciseMatrix {
    /// The upper triangle below the diagonal too.
    fileprivate func mirror() {
        for i in 0..<rows { for j in 0..<i { base[i * columns + j] = base[j * columns + i] } }
    }
}
