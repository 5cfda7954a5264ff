import Tensors
import Testing

@MainActor @Suite struct ViewTests {
    /// 0, 1, 2, … as float32.
    private func counting(_ shape: Shape) throws -> Tensor { try Tensor((0..<shape.elementCount).map { Float($0) }, shape: shape) }

    @Test func reshapeKeepsTheOrder() throws {
        let x = try counting([2, 3, 4])
        #expect(try x.reshaped([4, -1]).shape == [4, 6])
        #expect(try x.reshaped([24]).array(of: Float.self) == x.array(of: Float.self))
        #expect(try x.transposedLast().reshaped([24]).array(of: Float.self).prefix(4) == [0, 4, 8, 1])
        #expect(try Tensor.zeros([0, 3]).reshaped([3, 0]).shape == [3, 0])
        expectFailure("tensor.shapeMismatch", "[2, 3, 4] has 24 elements and cannot become [5, 5]") { _ = try x.reshaped([5, 5]) }
        expectFailure("tensor.shapeMismatch", "cannot become [-1, 5]") { _ = try x.reshaped([-1, 5]) }
        expectFailure("tensor.shapeMismatch", "cannot become [-1, -1, 24]") { _ = try x.reshaped([-1, -1, 24]) }
    }

    /// As many dimensions as NumPy and its files have, and no more by any way.
    @Test func dimensionsAreBounded() throws {
        let most = Shape([Int](repeating: 1, count: Shape.rankLimit))
        let more = Shape(most.dims + [1])
        let x = try Tensor.ones(most)
        #expect(x.rank == 32)
        #expect(try x.formattedValues() == String(repeating: "[", count: 32) + "1" + String(repeating: "]", count: 32))
        expectFailure("tensor.invalidArgument", "33 dimensions") { _ = try Tensor.ones(more) }
        expectFailure("tensor.invalidArgument", "33 dimensions") { _ = try x.reshaped(more) }
        expectFailure("tensor.invalidArgument", "33 dimensions") { _ = try x.unsqueezed(dim: 0) }
        expectFailure("tensor.invalidArgument", "33 dimensions") { _ = try x.broadcast(to: more) }
        expectFailure("tensor.invalidArgument", "absurdly large") { _ = try x.reshaped([-1, .max, .max]) }
    }

    @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]]) func permute(_ order: [Int]) throws {
        let x = try counting([2, 3, 4])
        let y = try x.permuted(order)
        #expect(y.shape == Shape(order.map { [2, 3, 4][$0] }))
        let strides = [12, 4, 1]
        var expected: [Float] = []
        for i in 0..<y.shape[0] {
            for j in 0..<y.shape[1] {
                for k in 0..<y.shape[2] {
                    expected.append(Float(i * strides[order[0]] + j * strides[order[1]] + k * strides[order[2]]))
                }
            }
        }
        #expect(try y.array(of: Float.self) == expected)
        expectFailure("tensor.invalidArgument", "[0, 0, 1] is no order") { _ = try x.permuted([0, 0, 1]) }
    }

    @Test func slicesShareTheStorage() throws {
        let x = try counting([4, 6])
        let part = try x.sliced(dim: 1, from: 1, to: 6, by: 2)
        #expect(part.shape == [4, 3])
        #expect(try part.array(of: Float.self).prefix(4) == [1, 3, 5, 7])
        #expect(part.storage === x.storage)
        let row = try x.selected(dim: 0, index: 2)
        try row.withMutableElements(of: Float.self) { $0[0] = -1 }
        #expect(try x.array(of: Float.self)[12] == -1)
        #expect(try x.copy().storage !== x.storage)
        #expect(try x.sliced(dim: 0, from: 4, to: 4).shape == [0, 6])
        expectFailure("tensor.invalidArgument", "1..<7 by 1 does not fit dimension 1 of [4, 6]") { _ = try x.sliced(dim: 1, from: 1, to: 7) }
        #expect(try x.sliced(dim: 0, from: 1, to: 4, by: .max).array(of: Float.self) == [6, 7, 8, 9, 10, 11])
        expectFailure("tensor.invalidArgument", "by 0") { _ = try x.sliced(dim: 1, from: 1, to: 2, by: 0) }
        expectFailure("tensor.indexOutOfRange", "select: index 4 is out of range 0..<4") { _ = try x.selected(dim: 0, index: 4) }
        expectFailure("tensor.invalidArgument", "with gaps cannot be written") { try part.withMutableElements(of: Float.self) { _ in } }
    }

    @Test func squeezeAndUnsqueeze() throws {
        let x = try counting([2, 3])
        for d in 0...2 {
            let wider = try x.unsqueezed(dim: d)
            #expect(wider.shape[d] == 1)
            #expect(try wider.squeezed(dim: d).array(of: Float.self) == x.array(of: Float.self))
        }
        expectFailure("tensor.shapeMismatch", "dimension 1 of [2, 3] has an extent other than 1") { _ = try x.squeezed(dim: 1) }
        expectFailure("tensor.indexOutOfRange", "unsqueeze: dimension 3") { _ = try x.unsqueezed(dim: 3) }
    }

    @Test func broadcastRepeatsWithoutCopying() throws {
        let x = try counting([3, 1])
        let y = try x.broadcast(to: [2, 3, 2])
        #expect(y.storage === x.storage)
        #expect(try y.array(of: Float.self) == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])
        expectFailure("tensor.invalidArgument", "absurdly large") { _ = try Tensor.zeros([1]).broadcast(to: [1 << 40, 1 << 40]) }
        expectFailure("tensor.invalidArgument", "shape [-1]") { _ = try Tensor.zeros([1]).broadcast(to: [-1]) }
        expectFailure("tensor.shapeMismatch", "broadcast: [3, 1] does not fill [3]") { _ = try x.broadcast(to: [3]) }
    }

    @Test func concatenate() throws {
        let (a, b) = (try counting([2, 2]), try counting([2, 3]))
        #expect(try Tensor.concatenated([a, b], dim: 1).array(of: Float.self) == [0, 1, 0, 1, 2, 2, 3, 3, 4, 5])
        #expect(try Tensor.concatenated([a, a], dim: 0).shape == [4, 2])
        // Views, and a part that does not begin at the storage's first element.
        let parts = [try b.transposed(), try a.sliced(dim: 0, from: 1, to: 2)]
        #expect(try Tensor.concatenated(parts, dim: 0).array(of: Float.self) == [0, 3, 1, 4, 2, 5, 2, 3])
        expectFailure("tensor.shapeMismatch", "[2, 2] and [2, 3] differ beside dimension 0") { _ = try Tensor.concatenated([a, b], dim: 0) }
        expectFailure("tensor.invalidArgument", "at least one tensor") { _ = try Tensor.concatenated([], dim: 0) }
        expectFailure("tensor.typeMismatch", "concatenate: needs float32") { _ = try Tensor.concatenated([a, .zeros([2, 2], dtype: .int64)], dim: 0) }
    }

    @Test func gatherRows() throws {
        let x = try counting([3, 2])
        #expect(try x.gathered(rows: [2, 0, 2]).array(of: Float.self) == [4, 5, 0, 1, 4, 5])
        #expect(try x.transposed().gathered(rows: [1]).array(of: Float.self) == [1, 3, 5])
        #expect(try x.gathered(rows: []).shape == [0, 2])
        #expect(try Tensor([7, 8, 9] as [Int64]).gathered(rows: [1]).array(of: Int64.self) == [8])
        expectFailure("tensor.indexOutOfRange", "gather: row 3 is out of range 0..<3") { _ = try x.gathered(rows: [0, 3]) }
        expectFailure("tensor.indexOutOfRange", "gather: row -1") { _ = try x.gathered(rows: [-1]) }
    }
}

extension Tensor {
    /// A tensor of rank 3 with its last two dimensions exchanged.
    fileprivate func transposedLast() throws -> Tensor { try permuted([0, 2, 1]) }
}
