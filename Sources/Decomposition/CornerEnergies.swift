import Tensors

/// How much energy the first so many vectors of both sides of a tensor [R₁, n, R₂] hold: the corner [:a, :, :b] of it.
///
/// In orthonormal bases of both sides a corner is an orthogonal projection, so that what it leaves out is exactly what the train
/// of two bonds loses that is cut to these vectors. The ranks with the fewest parameters then can be read off, and nothing need
/// be tried out. A cut of the second bond given that of the first loses a little less, because the best vectors are others then.
struct CornerEnergies: Sendable {
    let rows: Int
    let columns: Int
    private let depth: Int
    /// Of the corner [:a, :, :b] at a · (R₂ + 1) + b.
    private let sums: [Double]

    /// - Parameters:
    ///   - core: in order.
    ///   - weights: the energy of each vector [:, :, b], where the core holds it as a vector of length 1.
    init(_ core: Tensor, weights: [Double]? = nil) throws {
        let dims = core.shape.dims
        self = try core.withElements(of: Float.self) {
            CornerEnergies($0, rows: dims[0], depth: dims[1], columns: dims[2], weights: weights)
        }
    }

    init(_ core: PreciseCore, weights: [Double]) {
        self = core.tall.withElements {
            CornerEnergies(UnsafeBufferPointer($0), rows: core.left, depth: core.mode, columns: core.right, weights: weights)
        }
    }

    private init<Value: BinaryFloatingPoint>(
        _ elements: UnsafeBufferPointer<Value>, rows: Int, depth: Int, columns: Int, weights: [Double]?
    ) {
        (self.rows, self.depth, self.columns) = (rows, depth, columns)
        let width = columns + 1
        var sums = [Double](repeating: 0, count: (rows + 1) * width)
        sums.withUnsafeMutableBufferPointer { sums in
            for a in 0..<rows {
                let (above, line) = (sums.baseAddress! + a * width + 1, sums.baseAddress! + (a + 1) * width + 1)
                for k in 0..<depth {
                    let fibre = elements.baseAddress! + (a * depth + k) * columns
                    for b in 0..<columns {
                        let value = Double(fibre[b])
                        line[b] += value * value
                    }
                }
                if let weights { for b in 0..<columns { line[b] *= weights[b] } }
                var total = 0.0
                for b in 0..<columns {
                    total += line[b]
                    line[b] = above[b] + total
                }
            }
        }
        self.sums = sums
    }

    /// The energy of the corner [:a, :, :b].
    func energy(_ a: Int, _ b: Int) -> Double { sums[a * (columns + 1) + b] }

    var whole: Double { sums[sums.count - 1] }

    /// Ranks with fewer parameters than `count` whose corner leaves out at most `budget`, those that leave out least first.
    func ranks(below count: Int, losing budget: Double, upper: [Int], outer: (left: Int, right: Int)) -> [(ranks: [Int], count: Int)] {
        var found: [(ranks: [Int], count: Int)] = []
        for a in 1...min(rows, outer.left, upper[0]) {
            for b in 1...min(columns, outer.right, upper[1]) where a <= depth * b && b <= depth * a && whole - energy(a, b) <= budget {
                let own = outer.left * a + a * depth * b + b * outer.right
                if own < count { found.append(([a, b], own)) }
            }
        }
        return found.sorted { energy($0.ranks[0], $0.ranks[1]) > energy($1.ranks[0], $1.ranks[1]) }
    }

    /// The ranks with the fewest parameters, and among those with the least error, whose corner leaves out an energy of at most
    /// `budget`, and what it leaves out; `nil` where none does.
    /// - Parameters:
    ///   - upper: the highest ranks to take, where not all may be.
    ///   - outer: the modes to the left and to the right of the core.
    /// - Complexity: O(R₁ + R₂), because the rank needed on one side only grows where that of the other falls.
    func ranks(
        losing budget: Double, upper: [Int]? = nil, outer: (left: Int, right: Int)
    ) -> (ranks: [Int], lost: Double)? {
        let most = (left: min(rows, outer.left, upper?[0] ?? .max), right: min(columns, outer.right, upper?[1] ?? .max))
        var best: (ranks: [Int], count: Int, lost: Double)?
        var b = 1
        for a in (1...most.left).reversed() {
            while b < most.right, whole - energy(a, b) > budget { b += 1 }
            guard whole - energy(a, b) <= budget else { break }
            // More than the other bond allows is no rank that a train can have.
            let right = max(b, (a + depth - 1) / depth)
            guard right <= min(most.right, depth * a) else { continue }
            let count = outer.left * a + a * depth * right + right * outer.right
            let lost = max(0, whole - energy(a, right))
            if let best, (best.count, best.lost) <= (count, lost) { continue }
            best = ([a, right], count, lost)
        }
        return best.map { ($0.ranks, $0.lost) }
    }
}
