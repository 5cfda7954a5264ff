import Tensors
import Testing

@MainActor @Suite struct ReorderTests {
    private nonisolated static let formats: [ActivationFormat] = [.plain, .channelsLast, .blocked]

    @Test(arguments: [[1, 1, 1, 1], [2, 3, 4, 5], [1, 16, 3, 3], [2, 17, 2, 5], [3, 32, 1, 1], [1, 5, 1, 7]] as [Shape])
    func roundTripsKeepEveryElement(_ shape: Shape) throws {
        try poisonFreedMemory()
        let x = try sample(shape)
        let values = try x.array(of: Float.self)
        for first in Self.formats {
            for second in Self.formats {
                let there = try x.inFormat(first).inFormat(second)
                #expect(try there.array(of: Float.self) == values)
                #expect(try there.surplusLanes().allSatisfy { $0 == 0 })
                #expect(try there.inFormat(.plain).array(of: Float.self) == values)
            }
        }
    }

    @Test func aViewIsPutInOrderFirst() throws {
        let x = try sample([3, 5, 4, 2])
        let view = try x.permuted([3, 1, 0, 2])
        let values = try view.array(of: Float.self)
        for format in Self.formats { #expect(try view.inFormat(format).array(of: Float.self) == values) }
        let part = try x.sliced(dim: 0, from: 1, to: 3)
        for format in Self.formats { #expect(try part.inFormat(format).array(of: Float.self) == part.array(of: Float.self)) }
    }

    /// Blocked operands take paths of their own in elementwise operations.
    @Test func arithmeticOnBlockedActivations() throws {
        let (a, b) = (try sample([2, 19, 3, 4]), try sample([2, 19, 3, 4], seed: 2))
        let (p, q) = (try a.inFormat(.blocked), try b.inFormat(.blocked))
        #expect(try p.adding(q).array(of: Float.self) == a.adding(b).array(of: Float.self))
        #expect(try p.adding(q).surplusLanes().allSatisfy { $0 == 0 })
        #expect(try p.multiplying(b).array(of: Float.self) == a.multiplying(b).array(of: Float.self))
        #expect(try p.rectified().array(of: Float.self) == a.rectified().array(of: Float.self))
        #expect(try p.rectified().rectifierGradient(b).array(of: Float.self) == a.rectified().rectifierGradient(b).array(of: Float.self))
        #expect(try p.scaledInLayout(by: 3).array(of: Float.self) == a.multiplying(3).array(of: Float.self))
        #expect(try p.permuted([1, 0, 2, 3]).array(of: Float.self) == a.permuted([1, 0, 2, 3]).array(of: Float.self))
        #expect(try p.reshaped([2, -1]).array(of: Float.self) == a.array(of: Float.self))
        #expect(try p.sum(along: 1).array(of: Float.self) == a.sum(along: 1).array(of: Float.self))
        let ranges = try p.sliced(dim: 1, from: 3, to: 18, by: 2)
        #expect(try ranges.array(of: Float.self) == a.sliced(dim: 1, from: 3, to: 18, by: 2).array(of: Float.self))
    }
}
