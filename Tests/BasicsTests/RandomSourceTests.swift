import Testing

import Basics

@Suite struct RandomSourceTests {
    /// The first outputs of the authors' C code for the state 1, 2, 3, 4, which the Rust crate rand_xoshiro pins too.
    @Test func outputsAreThoseOfTheReference() throws {
        var random = try #require(RandomSource(state: [1, 2, 3, 4]))
        let expected: [UInt64] = [
            11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360, 607_988_272_756_665_600,
        ]
        for value in expected { #expect(random.next() == value) }
    }

    /// SplitMix64 from 0, after its authors' C code.
    @Test func seedIsSpreadOverTheState() {
        #expect(
            RandomSource(seed: 0).state == [
                0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F, 0xF88B_B8A8_724C_81EC,
            ])
    }

    @Test func savedStateGoesOn() throws {
        var random = RandomSource(seed: 5)
        for _ in 0..<10 { _ = random.next() }
        var restored = try #require(RandomSource(state: random.state))
        for _ in 0..<10 { #expect(restored.next() == random.next()) }
    }

    @Test(arguments: [[], [1, 2, 3], [0, 0, 0, 0], [1, 2, 3, 4, 5]] as [[UInt64]])
    func damagedStateIsRefused(_ state: [UInt64]) {
        #expect(RandomSource(state: state) == nil)
    }

    @Test func streamsDifferAndLeaveTheSourceAlone() {
        let source = RandomSource(seed: 1)
        var firsts = Set<UInt64>()
        for index in 0..<1000 {
            var stream = source.stream(UInt64(index))
            firsts.insert(stream.next())
        }
        #expect(firsts.count == 1000)
        #expect(source == RandomSource(seed: 1))
        #expect(source.stream(3) == RandomSource(seed: 1).stream(3))
        #expect(source.stream(3) != RandomSource(seed: 2).stream(3))
    }

    /// Bounds are over five standard errors of 100,000 draws.
    @Test func uniformValuesFillTheUnitInterval() {
        var random = RandomSource(seed: 9)
        let values = (0..<100_000).map { _ in Double(random.uniform()) }
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        let mean = values.reduce(0, +) / 1e5
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1e5
        #expect(abs(mean - 0.5) < 0.005)
        #expect(abs(variance - 1.0 / 12) < 0.0015)
    }

    @Test func normalValuesHaveTheirMoments() {
        var random = RandomSource(seed: 9)
        let values = (0..<100_000).map { _ in Double(random.normal()) }
        #expect(values.allSatisfy { $0.isFinite })
        let moments = (1...4).map { power in
            values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { product, _ in product * x } } / 1e5
        }
        // Standard errors: 0.0032, 0.0045, 0.012, 0.031.
        for (got, (expected, bound)) in zip(moments, [(0.0, 0.016), (1.0, 0.023), (0.0, 0.06), (3.0, 0.16)]) {
            #expect(abs(got - expected) < bound)
        }
    }
}
