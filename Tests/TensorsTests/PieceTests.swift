import Basics
import COneDNN
import Tensors
import Testing

/// Large kernels run in pieces, so that a request to stop is seen; here pieces are small, so that small kernels have many.
@MainActor @Suite struct PieceTests {
    private func product(_ a: Tensor, _ b: Tensor, transposed: (Bool, Bool), most: Int) throws -> Tensor {
        let (rows, inner, columns) = (a.shape[0], a.shape[1], b.shape[1])
        let left = try transposed.0 ? a.transposed().copy() : a
        let right = try transposed.1 ? b.transposed().copy() : b
        let result = try sample([rows, columns], seed: 7)
        try MatrixPieces.multiply(
            .init(left.base(), isTransposed: transposed.0, stride: left.shape[1]),
            .init(right.base(), isTransposed: transposed.1, stride: right.shape[1]), into: result.base(), rows: rows,
            columns: columns, inner: inner, keeps: true, operation: "test", most: most)
        return result
    }

    @Test(arguments: [1, 5 * 768, 9 * 11 * 768, 9 * 11 * 1600, 9 * 11 * 2000])
    func aProductInPiecesIsTheWhole(most: Int) throws {
        let (a, b) = (try sample([9, 2000], seed: 1), try sample([2000, 11], seed: 2))
        for transposed in [(false, false), (true, false), (false, true), (true, true)] {
            let whole = try doubles(product(a, b, transposed: transposed, most: .max))
            #expect(try relativeDistance(product(a, b, transposed: transposed, most: most), whole) < kernelTolerance)
        }
    }

    @Test(arguments: [1, 40_000]) func aConvolutionInPiecesIsTheWhole(most: Int) throws {
        let (x, w, b) = (try sample([5, 4, 9, 8], seed: 1), try sample([6, 4, 3, 3], seed: 2), try sample([6], seed: 3))
        let geometry = ConvolutionGeometry(stride: 1, padding: 1)
        let whole = try Convolution.forward(x, w, b, geometry, training: true)
        #expect(try relativeDistance(Convolution.forward(x, w, b, geometry, training: true, most: most), doubles(whole)) < kernelTolerance)
        let dx = try Convolution.gradientOfInput(whole, w, input: x.shape, geometry)
        let inPieces = try Convolution.gradientOfInput(whole, w, input: x.shape, geometry, most: most)
        #expect(try relativeDistance(inPieces, doubles(dx)) < kernelTolerance)
        let sums = try Convolution.gradientOfWeights(whole, x, weight: w.shape, hasBias: true, geometry)
        let parts = try Convolution.gradientOfWeights(whole, x, weight: w.shape, hasBias: true, geometry, most: most)
        #expect(try relativeDistance(parts.weights, doubles(sums.weights)) < kernelTolerance)
        let (bias, expected) = (try #require(parts.bias), try doubles(#require(sums.bias)))
        #expect(try relativeDistance(bias, expected) < kernelTolerance)
    }

    @Test func aRequestToStopIsSeenBetweenPieces() throws {
        let (a, w) = (try sample([8, 8]), try sample([4, 4, 3, 3]))
        let x = try sample([3, 4, 6, 6])
        let context = ComputeContext(threadCount: 1)
        context.cancellation.request()
        context.run {
            #expect(throws: Interrupted.self) { try product(a, a, transposed: (false, false), most: 1) }
            #expect(throws: Interrupted.self) { try Convolution.forward(x, w, nil, .init(), training: false, most: 1) }
            #expect(throws: Interrupted.self) { try Convolution.gradientOfInput(x, w, input: [3, 4, 8, 8], .init(), most: 1) }
            #expect(throws: Interrupted.self) {
                _ = try Convolution.gradientOfWeights(x, sample([3, 4, 8, 8]), weight: w.shape, hasBias: false, .init(), most: 1)
            }
        }
    }
}
