import Testing

import Basics
import Formats

@Suite struct JSONWritingTests {
    private static let report: JSONValue = [
        "name": "small", "kept": 0.5, "shape": [64, 3, 3], "rows": [["layer": "a\"b", "gain": nil], [:]], "empty": [],
    ]

    @Test func compactTextHasNoSpace() throws {
        #expect(
            try Self.report.serialized()
                == #"{"name":"small","kept":0.5,"shape":[64,3,3],"rows":[{"layer":"a\"b","gain":null},{}],"empty":[]}"#)
    }

    @Test func prettyTextKeepsFlatArraysOnOneLine() throws {
        #expect(
            try Self.report.serialized(pretty: true) == """
                {
                  "name": "small",
                  "kept": 0.5,
                  "shape": [64, 3, 3],
                  "rows": [
                    {
                      "layer": "a\\"b",
                      "gain": null
                    },
                    {}
                  ],
                  "empty": []
                }
                """)
    }

    @Test(arguments: [true, false])
    func textReadsBackToTheSameValue(_ pretty: Bool) throws {
        let values: JSONValue = [
            .integer(.min), .integer(.max), 0.1, .number(.leastNonzeroMagnitude), .number(.greatestFiniteMagnitude),
            .number(-0.0), 1e16, 3.0, "\u{0}\u{1F}\u{7F}\"\\/é😀\u{2028}", Self.report,
        ]
        #expect(try JSONValue.parse(text: values.serialized(pretty: pretty)) == values)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func numbersThatAreNotFiniteAreRefusedWithTheirPlace(_ value: Double) {
        let report: JSONValue = ["layers": [["gain": 1], ["gain": .number(value)]]]
        let error = failure { _ = try report.serialized() }
        #expect(error?.code == "format.notRepresentable")
        #expect(error?.description == "cannot write JSON: \(value) is no JSON number (at .layers[1].gain)")
    }

    /// As Python's json module writes and reads them.
    @Test func numbersThatAreNotFiniteComeBackWhereTheyAreAllowed() throws {
        let text = try JSONValue.array([.number(.nan), .number(.infinity), .number(-.infinity), 1]).serialized(allowsNonFinite: true)
        #expect(text == "[NaN,Infinity,-Infinity,1]")
        let back = try JSONValue.parse(text: text, allowsNonFinite: true).array
        #expect(back?[0].number?.isNaN == true && back?[1].number == .infinity && back?[2].number == -.infinity && back?.count == 4)
        #expect(failure { _ = try JSONValue.parse(text: text) }?.description.contains("column 2: expected a value; NaN is no JSON number") == true)
    }

    @Test func deepValuesAreRefused() {
        var value: JSONValue = []
        for _ in 0..<JSONValue.depthLimit { value = [value] }
        #expect(failure { _ = try value.serialized() }?.code == "format.notRepresentable")
    }

    @Test func objectsAreEditedInOrder() {
        var object: JSONObject = ["a": 1, "b": 2, "c": 3]
        object["b"] = nil
        object["a"] = 4
        object["b"] = 5
        object["none"] = nil
        #expect(object.keys == ["a", "c", "b"])
        #expect(object == ["a": 4, "c": 3, "b": 5])
        #expect(object != ["c": 3, "a": 4, "b": 5])
    }

    @Test func accessorsTellKindsApart() {
        #expect((1.0 as JSONValue).integer == 1)
        #expect((1.5 as JSONValue).integer == nil)
        #expect((1e300 as JSONValue).integer == nil)
        #expect((2 as JSONValue).number == 2)
        #expect(("2" as JSONValue).number == nil)
        #expect((true as JSONValue).integer == nil)
        #expect(([1] as JSONValue)["a"] == nil)
    }
}
