import Tensors

/// Rows of a tall matrix U [m, r] of full rank whose square submatrix has a determinant that exchanging one row hardly raises:
/// every element of U · U[rows]⁻¹ is then at most 1 + `tolerance`, so that interpolating from these rows is stable.
///
/// - Complexity: O(m·r²), and O(m·r) for every exchange.
/// - Reference: S. A. Goreinov, I. V. Oseledets, D. V. Savostyanov, E. E. Tyrtyshnikov, N. L. Zamarashkin, *How to Find a Good
///   Submatrix*, in Matrix Methods: Theory, Algorithms, Applications, 2010, doi:10.1142/9789812836021_0015.
struct MaximumVolume {
    let rows: [Int]
    /// U · U[rows]⁻¹, [m, r], row by row.
    let interpolation: PreciseMatrix

    private static let tolerance = 0.05
    private static let exchangeLimit = 200

    init(_ matrix: Tensor) throws {
        let (m, r) = (matrix.shape[0], matrix.shape[1])
        var rows = try PreciseMatrix(matrix, rows: m, columns: r).withElements { Self.pivots($0, r) }
        interpolation = try PreciseMatrix(matrix, rows: m, columns: r)
        interpolation.withElements { elements in
            Self.solve(elements, rows, r)
            for _ in 0..<Self.exchangeLimit {
                guard let largest = elements.indices.max(by: { abs(elements[$0]) < abs(elements[$1]) }),
                    abs(elements[largest]) > 1 + Self.tolerance
                else { break }
                rows[largest % r] = largest / r
                Self.exchange(elements, row: largest / r, column: largest % r, r)
            }
        }
        self.rows = rows
    }

    /// Row `row` takes the place of the chosen one that column `column` stands for.
    private static func exchange(_ elements: UnsafeMutableBufferPointer<Double>, row: Int, column: Int, _ r: Int) {
        var direction = Array(elements[row * r..<(row + 1) * r])
        let pivot = direction[column]
        direction[column] -= 1
        for start in stride(from: 0, to: elements.count, by: r) {
            let factor = elements[start + column] / pivot
            for k in 0..<r { elements[start + k] -= factor * direction[k] }
        }
    }

    /// The rows that elimination with row pivoting meets; the elements are used up.
    private static func pivots(_ rest: UnsafeMutableBufferPointer<Double>, _ r: Int) -> [Int] {
        var rows: [Int] = []
        var open = Array(0..<rest.count / r)
        for column in 0..<r {
            let position = open.indices.max { abs(rest[open[$0] * r + column]) < abs(rest[open[$1] * r + column]) } ?? 0
            let row = open.remove(at: position)
            rows.append(row)
            let pivot = rest[row * r + column]
            for other in open where pivot != 0 {
                let factor = rest[other * r + column] / pivot
                for k in column..<r { rest[other * r + k] -= factor * rest[row * r + k] }
            }
        }
        return rows
    }

    /// U becomes X with X · U[rows] = U, by elimination on the columns of both with the pivots as they come.
    private static func solve(_ result: UnsafeMutableBufferPointer<Double>, _ rows: [Int], _ r: Int) {
        var square = rows.flatMap { result[$0 * r..<($0 + 1) * r] }
        func combine(_ target: Int, _ source: Int, _ factor: Double) {
            for i in 0..<r { square[i * r + target] -= factor * square[i * r + source] }
            for start in stride(from: 0, to: result.count, by: r) { result[start + target] -= factor * result[start + source] }
        }
        for k in 0..<r {
            // The largest element of row k among the columns that are left becomes its pivot.
            let best = (k..<r).max { abs(square[k * r + $0]) < abs(square[k * r + $1]) } ?? k
            if best != k {
                for i in 0..<r { square.swapAt(i * r + k, i * r + best) }
                for start in stride(from: 0, to: result.count, by: r) { result.swapAt(start + k, start + best) }
            }
            let pivot = square[k * r + k]
            guard pivot != 0 else { continue }
            for i in 0..<r { square[i * r + k] /= pivot }
            for start in stride(from: 0, to: result.count, by: r) { result[start + k] /= pivot }
            for other in 0..<r where other != k { combine(other, k, square[k * r + other]) }
        }
    }
}
