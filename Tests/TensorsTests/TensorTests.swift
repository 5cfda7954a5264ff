import Basics
import Tensors
import Testing

@MainActor @Suite struct TensorTests {
    @Test func creation() throws {
        #expect(try Tensor.full([2, 2], 1.5).array(of: Float.self) == [1.5, 1.5, 1.5, 1.5])
        #expect(try Tensor.full([2], 200, dtype: .uint8).array(of: UInt8.self) == [200, 200])
        #expect(try Tensor.range(3).array(of: Int64.self) == [0, 1, 2])
        #expect(try Tensor.identity(2).array(of: Float.self) == [1, 0, 0, 1])
        expectFailure("tensor.shapeMismatch", "3 elements do not fill the shape [2, 2]") { _ = try Tensor([1, 2, 3] as [Float], shape: [2, 2]) }
        expectFailure("tensor.invalidArgument", "shape [2, -1]") { _ = try Tensor.zeros([2, -1]) }
        expectFailure("tensor.invalidArgument", "absurdly large") { _ = try Tensor.zeros([1 << 40, 1 << 40]) }
        expectFailure("tensor.invalidArgument", "absurdly large") { _ = try Tensor.range(1 << 60) }
        expectFailure("tensor.outOfMemory", "the limit is") { _ = try Tensor.range(1 << 46) }
        var random = RandomSource(seed: 1)
        expectFailure("tensor.outOfMemory", "the limit is") { _ = try Tensor.permutation(1 << 46, using: &random) }
        #expect(try Tensor.range(-1).shape == [0])
        expectFailure("tensor.invalidArgument", "300.0 is no UInt8") { _ = try Tensor.full([1], 300, dtype: .uint8) }
    }

    @Test func seededRandomTensors() throws {
        var (a, b, c) = (RandomSource(seed: 1), RandomSource(seed: 1), RandomSource(seed: 2))
        let first = try Tensor.normal([20_000], mean: 1, deviation: 2, using: &a)
        #expect(try first.array(of: Float.self) == Tensor.normal([20_000], mean: 1, deviation: 2, using: &b).array(of: Float.self))
        #expect(try first.array(of: Float.self) != Tensor.normal([20_000], mean: 1, deviation: 2, using: &c).array(of: Float.self))
        // Standard errors of mean and deviation at 20,000 draws are 0.014 and 0.01; five of each.
        let mean = try first.average()
        let deviation = (try first.adding(-mean).norm()) / Double(20_000).squareRoot()
        #expect(abs(mean - 1) < 0.07 && abs(deviation - 2) < 0.05)
        let uniform = try Tensor.uniform([20_000], low: -1, high: 3, using: &a)
        #expect(try uniform.smallest() >= -1 && uniform.largest() < 3 && abs(uniform.average() - 1) < 0.05)
        #expect(try Set(Tensor.permutation(50, using: &a).array(of: Int64.self)) == Set(0..<50))
    }

    @Test func conversion() throws {
        #expect(try Tensor([1.9, -1.9] as [Float]).converted(to: .int64).array(of: Int64.self) == [1, -1])
        #expect(try Tensor([0, 255] as [UInt8]).converted(to: .float32).array(of: Float.self) == [0, 255])
        #expect(try Tensor([3, 4] as [Int64]).converted(to: .uint8).array(of: UInt8.self) == [3, 4])
        expectFailure("tensor.invalidArgument", "256 is no UInt8") { _ = try Tensor([256] as [Int64]).converted(to: .uint8) }
        expectFailure("tensor.invalidArgument", "nan is no Int64") { _ = try Tensor([.nan] as [Float]).converted(to: .int64) }
    }

    @Test func elementsAreReadAsTheirType() throws {
        expectFailure("tensor.typeMismatch", "read: needs int64 elements, but got float32") { _ = try sample([2]).array(of: Int64.self) }
        expectFailure("tensor.shapeMismatch", "scalar: needs exactly one element, but got [2]") { _ = try sample([2]).scalar() }
        #expect(try Tensor([7] as [Int64]).scalar() == 7)
        expectFailure("tensor.invalidArgument", "1.5 is no Int64") { _ = try Tensor.full([1], 1.5, dtype: .int64) }
    }

    @Test func printing() throws {
        #expect(try Tensor([1, 2, 3] as [Float]).description == "Tensor float32 [3] min 1 max 3 mean 2")
        #expect(try Tensor.full([], 2.5).description == "Tensor float32 [] 2.5")
        #expect(try Tensor.zeros([0, 3]).description == "Tensor float32 [0, 3] (empty)")
        #expect(try Tensor.range(4).description == "Tensor int64 [4]")
        let matrix = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        #expect(try matrix.formattedValues() == "[[1, 2],\n [3, 4]]")
        #expect(try Tensor.range(9).formattedValues(edge: 2) == "[0, 1, …, 7, 8]")
        #expect(try matrix.formattedValues(edge: -1) == matrix.formattedValues(edge: 0))
        #expect(try matrix.transposed().formattedValues() == "[[1, 3],\n [2, 4]]")
        #expect(try Tensor.full([], 3).formattedValues() == "3")
        #expect(try Tensor.zeros([0]).formattedValues() == "[]")
    }

    @Test func failuresHaveCodesAndSentences() {
        let failure = TensorFailure.outOfMemory(byteCount: 2 << 20, liveByteCount: 1 << 20, limit: 2 << 20)
        #expect(failure.code == "tensor.outOfMemory")
        #expect(failure.description == "out of memory: 2.0 MiB more were asked for with 1.0 MiB in use; the limit is 2.0 MiB")
        #expect(TensorFailure.kernel(operation: "conv2d", reason: "no").description == "conv2d: no")
    }
}
