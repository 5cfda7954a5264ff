import Basics
import COneDNN

/// Products of matrices in pieces that take a fraction of a second each: between two of them a request to stop is seen.
///
/// A piece has whole rows and columns and a part of the sum as far as that goes, because a kernel adds up in parts of
/// `sumStep` itself: then it packs nothing twice and gives the digits that it gives for the whole.
package enum MatrixPieces {
    /// Rows `stride` apart, or the transpose of such.
    package struct Operand {
        let base: UnsafePointer<Float>
        let isTransposed: Bool
        let stride: Int64

        package init(_ base: UnsafePointer<Float>, isTransposed: Bool = false, stride: Int) {
            (self.base, self.isTransposed, self.stride) = (base, isTransposed, Int64(stride))
        }

        fileprivate func from(row: Int, column: Int) -> UnsafePointer<Float> {
            isTransposed ? base + (column * Int(stride) + row) : base + (row * Int(stride) + column)
        }

        fileprivate var letter: CChar { CChar(UInt8(ascii: isTransposed ? "T" : "N")) }
    }

    /// Multiplications of a piece: a quarter of a second of one core with AVX-512, half a second with AVX2.
    package static let most = 1 << 34
    /// A multiple of the parts in which kernels for all instruction sets add up.
    static let sumStep = 768

    /// C[rows, columns] = A[rows, inner] · B[inner, columns].
    /// - Parameter keeps: whether what is in C stays in the sum.
    /// - Throws: `Interrupted`, with C in an unknown state; `kernel` for `operation`.
    package static func multiply(
        _ a: Operand, _ b: Operand, into c: UnsafeMutablePointer<Float>, rows: Int, columns: Int, inner: Int,
        keeps: Bool = false, operation: String, most: Int = most
    ) throws {
        Threads.prepareLibraries()
        let extents = extents(rows, columns, inner, most: most)
        for row in stride(from: 0, to: rows, by: extents.rows) {
            for column in stride(from: 0, to: columns, by: extents.columns) {
                for place in stride(from: 0, to: inner, by: extents.inner) {
                    if extents.isPart { try Cancellation.check() }
                    let status = cod_sgemm(
                        a.letter, b.letter, Int64(min(extents.rows, rows - row)), Int64(min(extents.columns, columns - column)),
                        Int64(min(extents.inner, inner - place)), a.from(row: row, column: place), a.stride,
                        b.from(row: place, column: column), b.stride, keeps || place > 0 ? 1 : 0,
                        c + (row * columns + column), Int64(columns))
                    guard status == 0 else {
                        throw TensorFailure.kernel(operation: operation, reason: "oneDNN's sgemm refused it")
                    }
                }
            }
        }
    }

    /// The extents of a piece.
    private static func extents(
        _ rows: Int, _ columns: Int, _ inner: Int, most: Int
    ) -> (rows: Int, columns: Int, inner: Int, isPart: Bool) {
        func count(_ rows: Int, _ columns: Int, _ inner: Int) -> Double { Double(rows) * Double(columns) * Double(inner) }
        if count(rows, columns, inner) <= Double(most) { return (rows, columns, inner, false) }
        var (height, width) = (rows, columns)
        while count(height, width, min(inner, sumStep)) > Double(most), max(height, width) > 1 {
            if height >= width { height = (height + 1) / 2 } else { width = (width + 1) / 2 }
        }
        let steps = Int(Double(most) / count(height, width, sumStep))
        return (height, width, min(inner, max(1, steps) * sumStep), true)
    }
}
