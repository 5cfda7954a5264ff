import Basics
import Tensors
import Testing

/// A seeded normal tensor.
func sample(_ shape: Shape, seed: UInt64 = 1) throws -> Tensor {
    var random = RandomSource(seed: seed)
    return try .normal(shape, using: &random)
}

/// float32 kernels sum a few hundred to a few thousand terms in another order than a naive loop in double precision.
let kernelTolerance = 2e-5
/// One float32 operation per element: a few units in the last place.
let elementTolerance = 1e-6

/// ‖a − b‖ / max(‖b‖, 1e-6).
func relativeDistance(_ a: Tensor, _ b: [Double]) throws -> Double {
    let values = try a.array(of: Float.self)
    guard values.count == b.count else { return .infinity }
    let difference = zip(values, b).reduce(0.0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    let norm = b.reduce(0.0) { $0 + $1 * $1 }
    return difference.squareRoot() / max(norm.squareRoot(), 1e-6)
}

func doubles(_ tensor: Tensor) throws -> [Double] { try tensor.array(of: Float.self).map(Double.init) }

/// Leaves blocks of not-a-numbers behind for the next tensors to be made of, so that a kernel which relies on fresh
/// memory being zero shows.
func poisonFreedMemory() throws {
    var blocks: [Tensor] = []
    for count in stride(from: 16, through: 1024, by: 16) {
        for _ in 0..<6 { blocks.append(try .full([count], .nan)) }
    }
    for kilobytes in [8, 12, 16, 24, 32, 48, 64, 96, 128] {
        for _ in 0..<4 { blocks.append(try .full([kilobytes * 256], .nan)) }
    }
    withExtendedLifetime(blocks) {}
}

/// Expects `body` to throw the tensor failure `code` with `words` in its sentence.
func expectFailure(
    _ code: String, _ words: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing was thrown where \(code) was expected", sourceLocation: sourceLocation)
    } catch let failure as TensorFailure {
        #expect(failure.code == code, sourceLocation: sourceLocation)
        #expect(failure.description.contains(words), "\(failure.description)", sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error) was thrown where \(code) was expected", sourceLocation: sourceLocation)
    }
}

extension Tensor {
    /// The stored values of the surplus channels of a blocked activation; empty for other layouts.
    func surplusLanes() throws -> [Float] {
        guard activationFormat == .blocked else { return [] }
        let block = Layout.channelBlock
        let blocks = (shape[1] + block - 1) / block
        let values = withExtendedLifetime(storage) {
            Array(UnsafeBufferPointer(start: base(Float.self), count: storedElementCount))
        }
        return values.indices.compactMap { position in
            let plane = position / (shape[2] * shape[3] * block)
            let channel = plane % blocks * block + position % block
            return channel >= shape[1] ? values[position] : nil
        }
    }
}
