import Tensors
import Testing

/// A not-a-number stays one in every loop over elements.
@MainActor @Suite struct NotANumberTests {
    @Test func theLargerAndTheSmaller() throws {
        let (nan, one) = (try Tensor.full([], Double.nan), try Tensor.ones([3]))
        for operation in [BinaryOperator.maximum, .minimum, .add, .multiply, .modulo, .floorDivide] {
            for (a, b) in [(nan, one), (one, nan), (nan, nan)] {
                #expect(try a.combined(operation, b).array(of: Float.self).allSatisfy(\.isNaN), "\(operation)")
            }
        }
    }

    /// Long enough for vectors and threads, row-major and blocked.
    @Test(arguments: [[70_001], [2, 17, 9, 9]] as [Shape]) func rectifiersAndLimits(_ shape: Shape) throws {
        var numbers = try sample(shape).array(of: Float.self)
        let places = stride(from: 0, to: numbers.count, by: 97).map { $0 }
        for place in places { numbers[place] = .nan }
        var x = try Tensor(numbers, shape: shape)
        for format in [ActivationFormat.plain, .blocked] where shape.rank == 4 || format == .plain {
            if shape.rank == 4 { x = try x.inFormat(format) }
            let results = [try x.rectified(), try x.clamped(low: -1, high: 1), try x.adding(x), try Elementwise.rectifiedSum(x, x)].compactMap { $0 }
            for (index, result) in results.enumerated() {
                let found = try result.contiguous().array(of: Float.self)
                #expect(found.indices.filter { found[$0].isNaN } == places, "\(format) \(index)")
                #expect(index != 0 || zip(found, numbers).allSatisfy { $0.isNaN || $0 == max($1, 0) })
            }
        }
    }

    @Test func reductions() throws {
        let x = try Tensor([1, .nan, 3, 4, 5, 6] as [Float], shape: [2, 3])
        #expect(try x.maximum().scalar().isNaN && x.minimum().scalar().isNaN)
        #expect(try x.maximum(along: 1).array(of: Float.self).map(\.isNaN) == [true, false])
        #expect(try x.argmax().array(of: Int64.self) == [1, 2], "the first of them, as in NumPy and PyTorch")
        #expect(try x.predictedClasses() == [nil, 2], "a row that holds one says nothing")
        for result in [try x.softmax(), try x.logSoftmax()] {
            #expect(try result.array(of: Float.self).map(\.isNaN) == [true, true, true, false, false, false])
        }
    }

    /// In both directions and for both layouts of work, with windows that overlap and padding.
    @Test(arguments: [true, false]) func maximumPooling(training: Bool) throws {
        let geometry = PoolingGeometry(kind: .max, window: [3, 2], stride: [2, 1], padding: [1, 1, 0, 1])
        let shape: Shape = [2, 19, 7, 6]
        let numbers = try sample(shape).array(of: Float.self)
        let output = try geometry.outputShape(input: shape)
        let clean = try Pooling.forward(Tensor(numbers, shape: shape), geometry, training: training).y.contiguous().array(of: Float.self)
        for place in [0, 41, 123, numbers.count - 1] {
            var spoilt = numbers
            spoilt[place] = .nan
            let y = try Pooling.forward(Tensor(spoilt, shape: shape), geometry, training: training).y.contiguous().array(of: Float.self)
            let (plane, row, column) = (place / 42, place / 6 % 7, place % 6)
            for i in y.indices {
                let (p, q) = (i / output[3] % output[2], i % output[3])
                let sees = i / (output[2] * output[3]) == plane && (2 * p - 1..<2 * p + 2).contains(row) && (q - 1..<q + 1).contains(column)
                #expect(sees ? y[i].isNaN : y[i] == clean[i], "element \(place), window \(p), \(q)")
            }
        }
    }

    #if arch(x86_64)
        /// The processor notes where a not-a-number comes out of numbers, on whichever thread that was.
        @Test func theProcessorNotesIt() throws {
            let x = try sample([200_000])
            _ = InvalidOperations.take()
            _ = try x.rectified()
            #expect(!InvalidOperations.take())
            try x.withMutableElements(of: Float.self) { $0[$0.count - 1] = .infinity }
            _ = try x.subtracting(x)
            #expect(InvalidOperations.take())
            #expect(!InvalidOperations.take())
        }
    #endif
}
