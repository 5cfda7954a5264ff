import FoundationEssentials
import Testing

import Basics
import Formats

@Suite struct JSONParsingTests {
    static let legal: [(String, JSONValue)] = [
        ("null", JSONValue.null), (" true\n", true), ("false", false), ("[]", []), ("{}", [:]), ("[ 1 , 2 ]", [1, 2]),
        ("0", 0), ("-12", -12), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .number(9223372036854775808)), ("9007199254740993", .integer(9_007_199_254_740_993)),
        ("1.0", 1.0), ("-0", .number(-0.0)), ("1e3", 1000.0), ("25E-1", 2.5),
        ("5e-324", .number(.leastNonzeroMagnitude)),
        ("1e-400", 0.0), ("0.1", 0.1), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
        (#""""#, ""), (#""é😀""#, "é😀"), (#""\u00e9\ud83d\ude00""#, "é😀"),
        (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{C}\n\r\tz"),
        (#""\u0000""#, "\0"), (#"{"b":1,"a":{"c":[null]}}"#, ["b": 1, "a": ["c": [nil]]]),
    ]

    @Test(arguments: legal)
    func legalTextIsRead(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue.parse(text: text) == value)
    }

    @Test func minusZeroKeepsItsSign() throws {
        #expect(try JSONValue.parse(text: "-0").number?.sign == .minus)
    }

    @Test func membersKeepTheirOrder() throws {
        let value = try JSONValue.parse(text: #"{"z":1,"a":2,"m":3}"#)
        #expect(value.object?.keys == ["z", "a", "m"])
        #expect(value["a"]?.integer == 2)
    }

    static let illegal: [(String, Int, Int, String)] = [
        ("", 1, 1, "missing"), ("[1,2,]", 1, 6, "expected a value"), ("[1 2]", 1, 4, "']'"), ("[1", 1, 3, "']'"),
        ("{\"a\":1,}", 1, 8, "quotes"), ("{\"a\" 1}", 1, 6, "':'"), ("{\"a\":1", 1, 7, "'}'"),
        ("{a:1}", 1, 2, "quotes"), ("{\"a\":1,\n \"a\":2}", 2, 2, "second member \"a\""), ("01", 1, 2, "follows"),
        ("+1", 1, 1, "value"),
        (".5", 1, 1, "value"), ("1.", 1, 3, "digit"), ("1e", 1, 3, "digit"), ("-", 1, 2, "digit"),
        ("[1,\n1e400]", 2, 1, "range"), ("NaN", 1, 1, "value"), ("nul", 1, 1, "value"), ("1 x", 1, 3, "follows"),
        ("\"a", 1, 1, "does not end"), ("\"a\nb\"", 1, 3, "control"), ("\"\\x\"", 1, 2, "escape"),
        ("\"\\", 1, 2, "escape"), ("\"\\u12g4\"", 1, 6, "hexadecimal"), ("\"\\ud800\"", 1, 2, "surrogate"),
        ("\"\\ud800\\u0041\"", 1, 2, "surrogate"), ("\"\\udc00\"", 1, 2, "surrogate"), ("\u{FEFF}1", 1, 1, "value"),
    ]

    @Test(arguments: illegal)
    func illegalTextIsRefusedAtItsPlace(_ text: String, _ line: Int, _ column: Int, _ reason: String) {
        let error = failure { _ = try JSONValue.parse(text: text, source: "f.json") }
        #expect(error?.code == "format.invalidJSON")
        let description = error?.description ?? "nothing thrown"
        #expect(description.hasPrefix("f.json: invalid JSON at line \(line), column \(column): "), "\(description)")
        #expect(description.contains(reason), "\(description)")
    }

    /// Beyond 64 bits a whole number is the nearest double, or where digits count an error unless a double has all of them.
    @Test func wholeNumbersKeepTheirDigitsWhereThatIsAskedFor() throws {
        for (text, value) in [
            ("100000000000000000000", JSONValue.number(1e20)), ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(0x1p63)),
        ] {
            #expect(try JSONValue.parse(text: text, keepsDigits: true) == value, "\(text)")
        }
        for text in ["9223372036854775809", "12345678901234567890", "-18446744073709551615", "1000000000000000000000000000000000000000001"] {
            #expect(try JSONValue.parse(text: text).number == Double(text))
            let error = failure { _ = try JSONValue.parse(text: text, keepsDigits: true) }
            #expect(error?.description.contains("the whole number \(text) has more digits than 64 bits hold") == true, "\(text)")
        }
    }

    @Test func bytesMustBeUTF8() {
        #expect(failure { _ = try JSONValue.parse([0x22, 0xC3, 0x28, 0x22]) }?.code == "format.notUTF8")
    }

    @Test(arguments: ["[", "{\"a\":"])
    func deepNestingIsRefusedWithoutCrashing(_ opening: String) {
        let deep = String(repeating: opening, count: 100_000)
        #expect(failure { _ = try JSONValue.parse(text: deep) }?.description.contains("deeper than 256") == true)
    }

    @Test func nestingUpToTheLimitIsRead() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSONValue.parse(text: nested(JSONValue.depthLimit)) }
        #expect(throws: FormatFailure.self) { try JSONValue.parse(text: nested(JSONValue.depthLimit + 1)) }
    }

    /// Whatever survives mutation and is accepted must be accepted by Foundation too, which is the laxer of the two.
    @Test func mutatedTextIsReadAsFoundationReadsItOrRefused() throws {
        let seed = Array(#"{"name":"c\u00e9","shape":[3,-4.5e-2,0],"deep":[[{"x":null}],true,"\n"],"n":12345678}"#.utf8)
        var random = RandomSource(seed: 1)
        var accepted = 0
        for _ in 0..<5000 {
            let text = random.mutated(seed)
            guard let value = try? JSONValue.parse(text) else { continue }
            accepted += 1
            #expect(throws: Never.self) { try JSONDecoder().decode(Opaque.self, from: Data(text)) }
            #expect(try JSONValue.parse(text: value.serialized()) == value)
        }
        #expect(accepted > 100)
    }

    /// Decodes from anything, so that Foundation judges the syntax alone.
    private struct Opaque: Decodable {
        init(from decoder: any Decoder) throws {}
    }
}
