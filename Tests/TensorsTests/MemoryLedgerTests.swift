import Basics
import Tensors
import Testing

/// Each test counts in a context of its own, because others may run at the same time.
@Suite struct MemoryLedgerTests {
    @Test func liveBytesReturnToTheStart() throws {
        try ComputeContext().run {
            func work() throws {
                let (x, w) = (try sample([2, 5, 9, 9]), try sample([7, 5, 3, 3], seed: 2))
                let geometry = ConvolutionGeometry(stride: 1, padding: 1)
                let (scale, shift) = (try Tensor.ones([7]), try Tensor.zeros([7]))
                let y = try Convolution.forward(x, w, shift, geometry, training: true)
                let (z, saved) = try BatchNormalization.forward(y, scale: scale, shift: shift, epsilon: 1e-5, hasReLU: true)
                var parts = [z]
                _ = try BatchNormalization.backward(&parts, saved: saved, hasResidual: false)
                _ = try Convolution.gradientOfWeights(z, x, weight: w.shape, hasBias: true, geometry)
                _ = try z.copy().reshaped([14, -1]).singularValueDecomposition()
            }
            let before = MemoryLedger.liveByteCount
            MemoryLedger.resetPeak()
            try work()
            #expect(MemoryLedger.liveByteCount == before)
            #expect(MemoryLedger.peakByteCount > before)
            #expect(throws: TensorFailure.self) { _ = try sample([2, 3]).matrixProduct(sample([2, 3])) }
            #expect(MemoryLedger.liveByteCount == before)
        }
    }

    @Test func viewsCostNothingAndKeepTheirStorage() throws {
        try ComputeContext().run {
            let before = MemoryLedger.liveByteCount
            var view: Tensor? = try sample([1000]).sliced(dim: 0, from: 990, to: 1000)
            #expect(MemoryLedger.liveByteCount - before >= 4000)
            #expect(view?.elementCount == 10)
            view = nil
            #expect(MemoryLedger.liveByteCount == before)
        }
    }

    @Test func freedBlocksAreKeptAndGivenBack() throws {
        try ComputeContext().run {
            MemoryLedger.trim()
            #expect(MemoryLedger.idleByteCount == 0)
            do { _ = try Tensor.zeros([4096]) }
            #expect(MemoryLedger.idleByteCount >= 4096 * 4)
            MemoryLedger.trim()
            #expect(MemoryLedger.idleByteCount == 0)
        }
    }

    @Test func theLimitIsAnError() throws {
        try ComputeContext().run {
            let before = MemoryLedger.liveByteCount
            MemoryLedger.limit = before + (1 << 20)
            expectFailure("tensor.outOfMemory", "the limit is 1.0 MiB") { _ = try Tensor.zeros([1 << 20]) }
            #expect(MemoryLedger.liveByteCount == before)
            let small = try Tensor.zeros([1 << 10])
            #expect(small.elementCount == 1 << 10)
        }
    }

    /// What is kept for reuse counts too when memory gets scarce.
    @Test func keptBlocksMakeRoomBeforeTheLimit() throws {
        try ComputeContext().run {
            MemoryLedger.limit = MemoryLedger.liveByteCount + (8 << 20)
            do { _ = try Tensor.zeros([6 << 18]) }
            #expect(MemoryLedger.idleByteCount >= 6 << 20)
            let other = try Tensor.zeros([4 << 18])
            #expect(MemoryLedger.idleByteCount == 0)
            #expect(other.elementCount == 4 << 18)
        }
    }

    /// Two tensors alive at once never share a block.
    @Test func reusedBlocksAreExclusive() throws {
        try ComputeContext().run {
            do { _ = try (0..<8).map { _ in try Tensor.zeros([100]) } }
            let tensors = try (0..<16).map { try Tensor.full([100], Double($0)) }
            for (i, tensor) in tensors.enumerated() {
                #expect(try tensor.array(of: Float.self).allSatisfy { $0 == Float(i) })
            }
        }
    }
}
