import COpenBLAS

#if canImport(Glibc)
    import Glibc
#endif

/// In which arithmetic a Gram matrix is formed and taken apart. Singular values are roots of its eigenvalues, so
/// the noise of the arithmetic shows with the root of its relative size.
enum GramPrecision: Sendable {
    /// Products in float32 summed in float64 every few thousand terms, eigenproblem in float32.
    case single
    /// All of it in float64.
    case double

    /// Singular values below this share of the largest are noise.
    func resolution(order: Int) -> Double {
        switch self {
        case .single: 3e-4
        case .double: max(1e-7, (Double(order) * 2.2e-16).squareRoot())
        }
    }
}

/// The eigenvalues and eigenvectors of the Gram matrix of a matrix's shorter side: its squared singular values, and
/// its left singular vectors (A·Aᵀ, where A is wide) or right ones (Aᵀ·A, where it is tall).
struct GramSpectrum: Sendable {
    /// [s, s] in the arithmetic of the spectrum; row i is the unit vector that belongs to the i-th energy.
    enum Vectors: Sendable {
        case single(Tensor)
        case double(PreciseMatrix)
    }

    let vectors: Vectors
    /// σᵢ², descending. Those that are nothing but rounding may be below 0, so that sums of them are still right.
    let energies: [Double]

    fileprivate init(_ vectors: Vectors, energies: [Double]) {
        self.vectors = vectors
        self.energies = energies
    }

    /// The singular values.
    var values: [Double] { energies.map { max(0, $0).squareRoot() } }

    /// The vectors as rows of a float32 matrix.
    func rows() throws -> Tensor {
        switch vectors {
        case .single(let tensor): tensor
        case .double(let matrix): try matrix.narrowed([matrix.rows, matrix.columns]).tensor
        }
    }

    static func isWide(_ matrix: Tensor) -> Bool { matrix.shape[0] <= matrix.shape[1] }

    /// - Throws: `noConvergence`.
    /// - Complexity: O(s² · l) for the Gram matrix of s vectors of l elements, O(s³) for its eigenvectors.
    init(of matrix: Tensor, precision: GramPrecision) throws {
        self = try Self.spectra(of: [matrix], precision: precision)[0]
    }

    /// Up to this order LAPACK's eigensolver is no faster with two threads than with one, so that problems of it go to
    /// threads of their own where there are several.
    private static let largestSerialOrder = 300

    /// Those of several matrices, small ones at the same time on different threads.
    static func spectra(of matrices: [Tensor], precision: GramPrecision) throws -> [GramSpectrum] {
        let problems = try matrices.map { try GramProblem($0, precision) }
        let small = problems.filter { $0.order <= largestSerialOrder }.sorted { $0.cost > $1.cost }
        let workers = min(Threads.count, small.count)
        let workspaces = try (0..<workers).map { worker in
            // Dealt out in turn: problems are sorted by cost, so every worker gets about the same.
            try GramWorkspace(for: stride(from: worker, to: small.count, by: workers).map { small[$0] })
        }
        if workers == 1, small.count == 1 {
            small[0].form(in: workspaces[0], splitting: true)
            Threads.withOneThread { small[0].solve(in: workspaces[0]) }
        } else if workers > 0 {
            OpenBLAS.call {
                parallelFor(workers, grain: 1) { share in
                    for worker in share {
                        for index in stride(from: worker, to: small.count, by: workers) {
                            small[index].form(in: workspaces[worker], splitting: false)
                            small[index].solve(in: workspaces[worker])
                        }
                    }
                }
            }
        }
        for problem in problems where problem.order > largestSerialOrder {
            let workspace = try GramWorkspace(for: [problem])
            problem.form(in: workspace, splitting: false)
            problem.solve(in: workspace)
        }
        return try problems.map { try $0.result() }
    }
}

/// One Gram matrix and its eigenproblem, on memory that was allocated before any thread starts on it.
private final class GramProblem: @unchecked Sendable {
    let order: Int
    private let precision: GramPrecision
    private let matrix: Tensor
    /// Whether the vectors are rows of `matrix`; else they are its columns.
    private let isWide: Bool
    /// The length of the vectors whose inner products the Gram matrix holds.
    private let length: Int
    private let vectors: GramSpectrum.Vectors
    private let (orderNumber, strideNumber): (Int32, Int32)
    private var energies: [Double]
    private var status: Int32 = 0

    init(_ matrix: Tensor, _ precision: GramPrecision) throws {
        // Both a matrix and its transpose have this Gram matrix; whichever lies in order is read.
        let transposed = try matrix.transposed()
        let isTransposed = !matrix.isContiguous && transposed.isContiguous
        self.matrix = isTransposed ? transposed : try matrix.contiguous()
        self.precision = precision
        isWide = GramSpectrum.isWide(matrix) != isTransposed
        order = min(matrix.shape[0], matrix.shape[1])
        _ = try LAPACK.integer(LAPACK.Need.eigenproblem(order).reals, "svd by the Gram matrix")
        length = max(matrix.shape[0], matrix.shape[1])
        vectors =
            switch precision {
            case .single: .single(try Tensor(uninitialized: [order, order]))
            case .double: .double(try PreciseMatrix(rows: order, columns: order))
            }
        orderNumber = try LAPACK.integer(order, "svd")
        strideNumber = try LAPACK.integer(isWide ? length : order, "svd")
        energies = [Double](repeating: 0, count: order)
    }

    var cost: Int { order * order * (length + 10 * order) }

    /// Vectors summed in float32 before the sums go on in float64; in float64, what is widened at a time.
    var chunk: Int { precision == .single ? 2048 : max(64, min(4096, (1 << 17) / order)) }

    var byteCounts: (gram: Int, scratch: Int, work: Int, whole: Int) {
        let square = order * order
        let scratch = precision == .single ? 4 * square : 8 * order * min(chunk, length)
        let need = LAPACK.Need.eigenproblem(order)
        // The values stand before the scratch; blocked reductions are faster with more than the least.
        return (8 * square, scratch, 8 * (need.reals + order + square + 64 * order), 4 * need.integers)
    }

    /// The upper triangle (column-major) of the Gram matrix.
    func form(in workspace: GramWorkspace, splitting: Bool) {
        let square = order * order
        // A short, very long matrix: each thread sums its own part, because BLAS divides the order alone.
        let parts = splitting && length >= 1 << 16 ? min(Threads.count, workspace.parts) : 1
        if parts > 1 {
            OpenBLAS.call {
                parallelFor(parts, grain: 1) { share in
                    for part in share {
                        accumulate(
                            (length * part / parts)..<(length * (part + 1) / parts), gram: workspace.gram(part, square),
                            scratch: workspace.scratch(part))
                    }
                }
            }
            for part in 1..<parts {
                let (sum, other) = (workspace.gram(0, square), workspace.gram(part, square))
                for i in 0..<square { sum[i] += other[i] }
            }
        } else {
            accumulate(0..<length, gram: workspace.gram(0, square), scratch: workspace.scratch(0))
        }
    }

    private func accumulate(_ range: Range<Int>, gram: UnsafeMutablePointer<Double>, scratch: UnsafeMutableRawPointer) {
        gram.update(repeating: 0, count: order * order)
        let source = matrix.base(Float.self)
        // Row-major A is column-major Aᵀ, so rows become columns.
        var (n, stride) = (orderNumber, strideNumber)
        for start in Swift.stride(from: range.lowerBound, to: range.upperBound, by: chunk) {
            var count = Int32(min(chunk, range.upperBound - start))
            let part = source + (isWide ? start : start * order)
            switch precision {
            case .single:
                let product = scratch.assumingMemoryBound(to: Float.self)
                var (one, zero) = (Float(1), Float(0))
                OpenBLAS.call { ssyrk_("U", isWide ? "T" : "N", &n, &count, &one, part, &stride, &zero, product, &n) }
                for column in 0..<order {
                    let at = column * order
                    for row in 0...column { gram[at + row] += Double(product[at + row]) }
                }
            case .double:
                let wide = scratch.assumingMemoryBound(to: Double.self)
                let (lines, width) = isWide ? (order, Int(count)) : (Int(count), order)
                for line in 0..<lines {
                    let (from, to) = (part + line * Int(stride), wide + line * width)
                    for i in 0..<width { to[i] = Double(from[i]) }
                }
                var (one, packed) = (1.0, Int32(width))
                OpenBLAS.call { dsyrk_("U", isWide ? "T" : "N", &n, &count, &one, wide, &packed, &one, gram, &n) }
            }
        }
    }

    func solve(in workspace: GramWorkspace) {
        let square = order * order
        let gram = workspace.gram(0, square)
        var (n, size, wholeSize) = (orderNumber, workspace.workCount(precision), workspace.wholeCount)
        switch vectors {
        case .single(let tensor):
            let target = tensor.base(Float.self)
            // The float32 eigenproblem is solved in the result's own memory.
            for i in 0..<square { target[i] = Float(gram[i]) }
            let values = UnsafeMutableRawPointer(gram).assumingMemoryBound(to: Float.self)
            OpenBLAS.call {
                ssyevd_(
                    "V", "U", &n, target, &n, values, workspace.work.assumingMemoryBound(to: Float.self), &size,
                    workspace.whole, &wholeSize, &status)
            }
            for i in 0..<order { energies[i] = Double(values[order - 1 - i]) }
            reverseAndNormalize(target)
        case .double(let matrix):
            let values = workspace.work.assumingMemoryBound(to: Double.self)
            size -= n
            OpenBLAS.call { dsyevd_("V", "U", &n, gram, &n, values, values + order, &size, workspace.whole, &wholeSize, &status) }
            for i in 0..<order {
                energies[i] = values[order - 1 - i]
                (matrix.base + i * order).update(from: gram + (order - 1 - i) * order, count: order)
            }
        }
    }

    /// Largest first, and of length 1 to the last digit: the energy that a projection captures is read from it.
    private func reverseAndNormalize(_ rows: UnsafeMutablePointer<Float>) {
        for i in 0..<(order / 2) {
            let (a, b) = (rows + i * order, rows + (order - 1 - i) * order)
            for k in 0..<order { (a[k], b[k]) = (b[k], a[k]) }
        }
        for i in 0..<order {
            let row = UnsafeMutableBufferPointer(start: rows + i * order, count: order)
            let scale = Float(1 / Vectors.dot(UnsafeBufferPointer(row), UnsafeBufferPointer(row)).squareRoot())
            if scale.isFinite { for k in 0..<order { row[k] *= scale } }
        }
    }

    func result() throws -> GramSpectrum {
        try LAPACK.check(status, "svd by the Gram matrix", matrix.shape)
        return GramSpectrum(vectors, energies: energies)
    }
}

/// What one thread needs to form and solve Gram problems one after the other: enough for the largest of them.
private final class GramWorkspace: @unchecked Sendable {
    /// Gram matrices that fit beside each other, for threads that share one problem.
    let parts: Int
    private let grams: Storage
    private let scratches: [Storage]
    private let works: Storage
    private let wholes: Storage

    init(for problems: [GramProblem]) throws {
        let counts = problems.map(\.byteCounts)
        let gram = counts.map(\.gram).max() ?? 0
        parts = problems.count == 1 ? Threads.count : 1
        grams = try Storage(byteCount: gram * parts)
        scratches = try (0..<parts).map { _ in try Storage(byteCount: counts.map(\.scratch).max() ?? 0) }
        works = try Storage(byteCount: counts.map(\.work).max() ?? 0)
        wholes = try Storage(byteCount: counts.map(\.whole).max() ?? 0)
    }

    func gram(_ part: Int, _ square: Int) -> UnsafeMutablePointer<Double> {
        grams.pointer.assumingMemoryBound(to: Double.self) + part * square
    }
    func scratch(_ part: Int) -> UnsafeMutableRawPointer { scratches[part].pointer }
    var work: UnsafeMutableRawPointer { works.pointer }
    func workCount(_ precision: GramPrecision) -> Int32 { Int32(clamping: works.byteCount / (precision == .single ? 4 : 8)) }
    var whole: UnsafeMutablePointer<Int32> { wholes.pointer.assumingMemoryBound(to: Int32.self) }
    var wholeCount: Int32 { Int32(clamping: wholes.byteCount / 4) }
}
