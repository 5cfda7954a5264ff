import Compression
import Testing

@Suite struct LayerScoreTests {
    static let tolerance = 1e-12
    static let accuracies: [(layer: String, parent: String?, accuracy: Double)] = [
        ("a", nil, 0.4), ("b", "a", 0.7), ("c", "b", 0.6), ("d", "c", 0.9), ("e", "b", 0.75),
    ]

    private func rows(isMonotone: Bool = false, floor: Double? = nil, holdout: Int = 100) -> [LayerScore] {
        LayerScores.gains(Self.accuracies, holdoutCount: holdout, classCount: 4, isMonotone: isMonotone, floor: floor)
    }

    private func expect(_ values: [Double], _ expected: [Double], _ what: String) {
        #expect(values.count == expected.count && zip(values, expected).allSatisfy { abs($0 - $1) < Self.tolerance }, "\(what): \(values)")
    }

    @Test func gainsAreAgainstTheParentOrChance() {
        let rows = rows()
        expect(rows.map(\.gain), [0.15, 0.3, -0.1, 0.3, 0.05], "gains")
        expect(rows.map(\.standardError), [0.24, 0.21, 0.24, 0.09, 0.1875].map { ($0 / 100).squareRoot() }, "errors")
        #expect(rows.map(\.layer) == ["a", "b", "c", "d", "e"] && rows.map(\.parent) == [nil, "a", "b", "c", "b"])
        #expect(rows.map(\.accuracy) == Self.accuracies.map(\.accuracy))
    }

    @Test func significanceIsFlooredAtOneStandardError() {
        let floor = (0.24 / 100).squareRoot()
        expect(rows().map(\.significance), [0.5, 1, floor / 0.3, 1, 0.05 / 0.3], "significances")
    }

    @Test func theFloorCanBeChosen() {
        expect(rows(floor: 0.2).map(\.significance), [0.2, 0.3, 0.2, 0.3, 0.2].map { $0 / 0.3 }, "floor 0.2")
        // However low the floor, one image's worth of accuracy is the least.
        expect(rows(floor: 0).map(\.significance), [0.5, 1, 0.01 / 0.3, 1, 0.05 / 0.3], "floor 0")
    }

    @Test func theEnvelopeNeverFalls() {
        let rows = rows(isMonotone: true)
        expect(rows.map(\.gain), [0.15, 0.3, 0, 0.2, 0.05], "gains")
        #expect(rows[2].accuracy == 0.6, "the raw accuracy is kept")
        #expect(rows.allSatisfy { $0.significance > 0 && $0.significance <= 1 })
    }

    @Test func nothingIsNothing() {
        #expect(LayerScores.gains([], holdoutCount: 0, classCount: 0, isMonotone: false, floor: nil).isEmpty)
        let equal = LayerScores.gains([("a", nil, 0.25)], holdoutCount: 50, classCount: 4, isMonotone: false, floor: nil)
        #expect(equal[0].gain == 0 && equal[0].significance == 1)
    }
}
