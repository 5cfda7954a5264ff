import Testing

import Basics
import Formats
import Tensors

/// A file that breaks one rule of the format, and what the error must say.
struct HostileFile: CustomTestStringConvertible, Sendable {
    let rule: String
    let bytes: [UInt8]
    let code: String
    let mention: String
    var testDescription: String { rule }

    init(_ rule: String, bytes: [UInt8], _ code: String, _ mention: String) {
        (self.rule, self.bytes, self.code, self.mention) = (rule, bytes, "format." + code, mention)
    }

    /// A file of `header` and `dataCount` zeros.
    init(_ rule: String, header: String, data dataCount: Int = 0, _ code: String, _ mention: String) {
        let zeros = [UInt8](repeating: 0, count: dataCount)
        self.init(rule, bytes: littleEndian(UInt64(header.utf8.count)) + header.utf8 + zeros, code, mention)
    }

    /// A file whose header describes one tensor `x`.
    init(
        _ rule: String, type: String = #""F32""#, shape: String, offsets: String, data: Int, _ code: String,
        _ mention: String
    ) {
        self.init(
            rule, header: #"{"x":{"dtype":\#(type),"shape":\#(shape),"data_offsets":\#(offsets)}}"#, data: data, code,
            mention)
    }
}

@Suite struct SafetensorsHostileTests {
    static func entry(_ name: String, _ begin: Int, _ end: Int) -> String {
        #""\#(name)":{"dtype":"U8","shape":[\#(end - begin)],"data_offsets":[\#(begin),\#(end)]}"#
    }

    static let headers: [HostileFile] = [
        .init("empty file", bytes: [], "truncated", "8 bytes are missing"),
        .init("cut length", bytes: [1, 0, 0], "truncated", "length of the header at byte 0, 5 bytes are missing"),
        .init("header beyond the file", bytes: littleEndian(UInt64(50)) + [0x7B], "truncated", "49 bytes are missing"),
        .init("header beyond the limit", bytes: littleEndian(UInt64(100_000_001)), "headerTooLarge", "100000001"),
        .init("header of 2⁶⁴ − 1", bytes: littleEndian(UInt64.max), "headerTooLarge", "18446744073709551615"),
        .init("no header", header: "", "invalidHeader", "begin with '{'"),
        .init("header after space", header: " {}", "invalidHeader", "begin with '{'"),
        .init("array as header", header: "[]", "invalidHeader", "begin with '{'"),
        .init("not UTF-8", bytes: littleEndian(UInt64(4)) + [0x7B, 0x22, 0xFF, 0x22], "notUTF8", "UTF-8"),
        .init("cut JSON", header: #"{"x":"#, "invalidJSON", "line 1, column 6"),
        .init("two values", header: "{}{}", "invalidJSON", "follows"),
        .init("one name twice", header: "{\(entry("x", 0, 1)),\(entry("x", 1, 2))}", data: 2, "invalidJSON", "second"),
        .init("deep nesting", header: #"{"x":"# + String(repeating: "[", count: 9999), "invalidJSON", "deeper"),
        .init("metadata is a text", header: #"{"__metadata__":"a"}"#, "invalidHeader", "must be an object"),
        .init("number in metadata", header: #"{"__metadata__":{"a":1}}"#, "invalidHeader", "__metadata__.a"),
        .init("tensor is a number", header: #"{"x":1}"#, "invalidHeader", "'x'"),
        .init("no offsets", header: #"{"x":{"dtype":"F32","shape":[]}}"#, "invalidHeader", "'x'"),
        .init(
            "an unknown member", header: #"{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"y":1}}"#,
            "invalidHeader", "nothing else"),
    ]

    static let tensors: [HostileFile] = [
        .init("three offsets", shape: "[1]", offsets: "[0,4,8]", data: 8, "invalidHeader", "two data_offsets"),
        .init("fractional offset", shape: "[1]", offsets: "[0,4.5]", data: 8, "invalidHeader", "whole"),
        .init(
            "offset beyond Int64", shape: "[1]", offsets: "[0,18446744073709551616]", data: 4, "invalidHeader",
            "whole"),
        .init("unknown type", type: #""F8_E5M2""#, shape: "[1]", offsets: "[0,1]", data: 1, "unknownType", "F8_E5M2"),
        .init("type in lower case", type: #""f32""#, shape: "[1]", offsets: "[0,4]", data: 4, "unknownType", "f32"),
        .init("type is a number", type: "1", shape: "[1]", offsets: "[0,4]", data: 4, "invalidHeader", "dtype"),
        .init("negative extent", shape: "[-1]", offsets: "[0,4]", data: 4, "invalidShape", "negative"),
        .init("two negative extents", shape: "[-1,-1]", offsets: "[0,4]", data: 4, "invalidShape", "negative"),
        .init("fractional extent", shape: "[1.5]", offsets: "[0,4]", data: 4, "invalidShape", "whole"),
        .init("text as extent", shape: #"["1"]"#, offsets: "[0,4]", data: 4, "invalidShape", "whole"),
        .init(
            "extents that overflow", shape: "[4611686018427387904,4]", offsets: "[0,4]", data: 4, "invalidShape",
            "absurd"),
        .init(
            "extents that overflow to the right size", shape: "[4294967296,4294967296,1]", offsets: "[0,0]", data: 0,
            "invalidShape", "absurd"),
        .init(
            "extents that overflow behind a zero", shape: "[0,4611686018427387904,4611686018427387904]",
            offsets: "[0,0]", data: 0, "invalidShape", "absurd"),
        .init(
            "terabytes in a small file", shape: "[1000000000000]", offsets: "[0,4]", data: 4, "sizeMismatch",
            "needs 4000000000000 bytes"),
        .init(
            "too few bytes for the shape", shape: "[2,3]", offsets: "[0,20]", data: 20, "sizeMismatch",
            "needs 24 bytes"),
        .init("too many bytes for the shape", shape: "[]", offsets: "[0,8]", data: 8, "sizeMismatch", "needs 4 bytes"),
        .init("end beyond the data", shape: "[2]", offsets: "[0,8]", data: 7, "outOfRange", "data has 7 bytes"),
        .init("end before begin", shape: "[1]", offsets: "[4,0]", data: 4, "outOfRange", "4 to 0"),
        .init("negative begin", shape: "[1]", offsets: "[-4,0]", data: 4, "outOfRange", "-4"),
        .init(
            "offsets at the edge of Int64", shape: "[1]", offsets: "[-9223372036854775808,9223372036854775807]",
            data: 4, "outOfRange", "9223372036854775807"),
        .init("hole at the beginning", header: "{\(entry("x", 1, 3))}", data: 3, "hole", "1 bytes at 0"),
        .init("hole between", header: "{\(entry("a", 0, 1)),\(entry("b", 3, 4))}", data: 4, "hole", "2 bytes at 1"),
        .init("overlap", header: "{\(entry("b", 1, 4)),\(entry("a", 0, 2))}", data: 4, "overlap", "'b' and tensor 'a'"),
        .init("the same bytes twice", header: "{\(entry("a", 0, 2)),\(entry("b", 0, 2))}", data: 2, "overlap", "'b'"),
        .init(
            "an empty tensor within another", header: "{\(entry("a", 0, 2)),\(entry("b", 1, 1))}", data: 2, "overlap",
            "'b'"),
        .init("trailing bytes", header: "{\(entry("a", 0, 2))}", data: 5, "trailingBytes", "3 bytes follow"),
        .init("data of no tensor", header: "{}", data: 1, "trailingBytes", "1 bytes follow"),
    ]

    @Test(arguments: headers + tensors)
    func eachBrokenRuleHasItsError(_ file: HostileFile) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("hostile.safetensors", file.bytes)
        let error = failure { _ = try SafetensorsFile(path: path) }
        #expect(error?.code == file.code)
        let description = error?.description ?? "nothing thrown"
        #expect(description.hasPrefix(path))
        #expect(description.contains(file.mention), "\(description)")
    }

    @Test func everyTruncationIsRefused() throws {
        let whole = try SafetensorsFile(tensors: [("a", .ones([2, 2])), ("b", .range(3))], metadata: ["k": "v"]).bytes()
        for count in whole.indices {
            #expect(throws: FormatFailure.self) { try SafetensorsFile(bytes: Array(whole[..<count])) }
        }
    }

    @Test func missingFileAndDirectoryAreNamed() throws {
        let directory = try TemporaryDirectory()
        for path in [directory.path, directory.path + "/absent.safetensors"] {
            let error = failure { _ = try SafetensorsFile(path: path) }
            #expect(error?.code == "file.cannotRead")
            #expect(error?.description.contains(path) == true)
        }
    }

    /// A mutated file is either refused cleanly, or describes tensors that can be written again.
    @Test func mutatedFilesAreRefusedOrSound() throws {
        let seed = try SafetensorsFile(
            tensors: [("a", .ones([2, 3])), ("b", .range(2)), ("c", Tensor([UInt8](0..<7)))], metadata: ["k": "v"]
        ).bytes()
        var random = RandomSource(seed: 2)
        var (accepted, refused) = (0, 0)
        for _ in 0..<5000 {
            let bytes = random.mutated(seed)
            do {
                let file = try SafetensorsFile(bytes: bytes)
                accepted += 1
                #expect(try SafetensorsFile(bytes: file.bytes()).names == file.names)
            } catch {
                refused += 1
                #expect(error is FormatFailure, "\(error)")
            }
        }
        #expect(accepted > 50)
        #expect(refused > 1000)
    }
}
