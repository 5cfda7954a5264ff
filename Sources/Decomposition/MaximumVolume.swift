import Tensors

/// Rows of a tall matrix U [m, r] of full rank whose square submatrix has a determinant that exchanging one row hardly raises:
/// every element of U · U[rows]⁻¹ is then at most 1 + `tolerance`, so that interpolating from these rows is stable.
///
/// - Complexity: O(m·r²), and O(m·r) for every exchange.
/// - Reference: S. A. Goreinov, I. V. Oseledets, D. V. Savostyanov, E. E. Tyrtyshnikov, N. L. Zamarashkin, *How to Find a Good
///   Submatrix*, in Matrix Methods: Theory, Algorithms, Applications, 2010, doi:10.1142/9789812836021_0015.
struct MaximumVolume {
    private(set) var rows: [Int]
    /// U · U[rows]⁻¹, [m, r], row by row.
    private(set) var interpolation: [Double]

    private static let tolerance = 0.05
    private static let exchangeLimit = 200

    init(_ matrix: Tensor) throws {
        let r = matrix.shape[1]
        let values = try matrix.contiguous().array(of: Float.self).map(Double.init)
        rows = Self.pivots(values, r)
        interpolation = Self.solved(values, rows, r)
        for _ in 0..<Self.exchangeLimit {
            guard let largest = interpolation.indices.max(by: { abs(interpolation[$0]) < abs(interpolation[$1]) }),
                abs(interpolation[largest]) > 1 + Self.tolerance
            else { break }
            exchange(row: largest / r, column: largest % r, r)
        }
    }

    /// Row `row` takes the place of the chosen one that column `column` stands for.
    private mutating func exchange(row: Int, column: Int, _ r: Int) {
        rows[column] = row
        var direction = Array(interpolation[row * r..<(row + 1) * r])
        let pivot = direction[column]
        direction[column] -= 1
        for start in stride(from: 0, to: interpolation.count, by: r) {
            let factor = interpolation[start + column] / pivot
            for k in 0..<r { interpolation[start + k] -= factor * direction[k] }
        }
    }

    /// The rows that elimination with row pivoting meets.
    private static func pivots(_ values: [Double], _ r: Int) -> [Int] {
        var (rest, rows) = (values, [Int]())
        var open = Array(0..<values.count / r)
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

    /// X with X · U[rows] = U, by elimination on the columns of both with the pivots as they come.
    private static func solved(_ values: [Double], _ rows: [Int], _ r: Int) -> [Double] {
        var square = rows.flatMap { values[$0 * r..<($0 + 1) * r] }
        var result = values
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
        return result
    }
}
