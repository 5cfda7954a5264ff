import Testing

import Basics

@Suite struct DecimalTextTests {
    static let fixed: [(Double, Int, String)] = [
        (3.14159, 2, "3.14"), (0, 2, "0.00"), (-0.001, 2, "0.00"), (-1.5, 0, "-2"), (0.05, 1, "0.1"),
        (9.999, 2, "10.00"), (1234.5, 1, "1234.5"), (-0.25, 3, "-0.250"), (.nan, 2, "nan"),
        (.infinity, 2, "inf"), (-.infinity, 0, "-inf"),
        (1e300, 2, "1e+300"),
    ]

    @Test(arguments: fixed)
    func decimalsAreFixed(_ value: Double, _ places: Int, _ text: String) {
        #expect(DecimalText.fixed(value, places) == text)
    }

    static let grouped: [(Int, String)] = [
        (0, "0"), (999, "999"), (1000, "1,000"), (269_722, "269,722"), (-1_234_567, "-1,234,567"),
        (.min, "-9,223,372,036,854,775,808"),
    ]

    @Test(arguments: grouped)
    func thousandsAreGrouped(_ value: Int, _ text: String) {
        #expect(DecimalText.grouped(value) == text)
    }

    static let bytes: [(Int, String)] = [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_150_000, "1.1 MiB"), (3 << 40, "3.0 TiB"),
        (5000 << 40, "5000.0 TiB"),
    ]

    @Test(arguments: bytes)
    func bytesHaveUnits(_ count: Int, _ text: String) {
        #expect(DecimalText.bytes(count) == text)
    }

    @Test func fractionsBecomePercent() {
        #expect(DecimalText.percent(0.4567) == "45.7 %")
        #expect(DecimalText.percent(1, 0) == "100 %")
    }

    static let significant: [(Double, String)] = [
        (0, "0"), (0.001234, "0.001234"), (12.5, "12.5"), (123.456, "123.5"), (-0.5, "-0.5"), (99999, "99999"),
        (1.5e-9, "1.5e-09"), (2e9, "2e+09"), (.nan, "nan"), (1, "1"), (100, "100"),
    ]

    @Test(arguments: significant)
    func fourDigitsAreSignificant(_ value: Double, _ text: String) {
        #expect(DecimalText.significant(value) == text)
    }
}
