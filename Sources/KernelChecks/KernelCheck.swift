import Basics
import Tensors

/// One kernel held against its definition, on seeded numbers of variance 1.
package struct KernelCheck: Sendable {
    /// What was computed, such as "3×3 with stride 2, forward".
    package let name: String
    /// Who computed it, as the library calls its kernel.
    package let kernel: String
    /// The largest difference to the definition, see `difference`; infinite where a result is no number.
    package let error: Double
    /// What rounding may leave.
    package let tolerance: Double
    /// Why there is no result, where there is none.
    package let failure: String?

    package var isRight: Bool { failure == nil && error <= tolerance }

    /// All checks, some two dozen; about half a second.
    package static func all() -> [KernelCheck] { convolutions() + activations() + matrices() }

    /// Runs `body`, which returns the error and the name of the kernel.
    static func check(_ name: String, within tolerance: Double, _ body: () throws -> (error: Double, kernel: String)) -> Self {
        do {
            let (error, kernel) = try body()
            return Self(name: name, kernel: kernel, error: error, tolerance: tolerance, failure: nil)
        } catch {
            return Self(name: name, kernel: "–", error: .infinity, tolerance: tolerance, failure: "\(error)")
        }
    }
}

/// max |aᵢ − bᵢ| / max(1, max |bᵢ|); infinite where an aᵢ is no number or the counts differ.
package func difference(_ a: [Float], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    var (worst, largest) = (0.0, 1.0)
    for (x, y) in zip(a, b) {
        let distance = abs(Double(x) - y)
        if !distance.isFinite { return .infinity }
        worst = max(worst, distance)
        largest = max(largest, abs(y))
    }
    return worst / largest
}

func normal(_ shape: Shape, seed: UInt64) throws -> Tensor {
    var random = RandomSource(seed: seed)
    return try .normal(shape, using: &random)
}

extension Tensor {
    func floats() throws -> [Float] { try array(of: Float.self) }
    func doubles() throws -> [Double] { try array(of: Float.self).map(Double.init) }
}
