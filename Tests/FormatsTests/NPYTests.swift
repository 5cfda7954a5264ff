import Testing

import Basics
import Formats
import Tensors

@Suite struct NPYTests {
    /// An npy file of version 1.0, or of another.
    static func file(_ dictionary: String, _ elements: [UInt8], version: UInt8 = 1) -> [UInt8] {
        let text = Array((dictionary + "\n").utf8)
        let length = version == 1 ? littleEndian(UInt16(text.count)) : littleEndian(UInt32(text.count))
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + elements
    }

    static func header(_ descriptor: String, _ shape: String, fortran: Bool = false) -> String {
        "{'descr': '\(descriptor)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
    }

    /// Every type that is read, with two elements and what they become.
    static let types: [(descriptor: String, bytes: [UInt8], dtype: DType, values: [Double])] = [
        ("<f4", littleEndian((1.5 as Float).bitPattern) + littleEndian((-2 as Float).bitPattern), .float32, [1.5, -2]),
        (">f4", bigEndian((1.5 as Float).bitPattern) + bigEndian((-2 as Float).bitPattern), .float32, [1.5, -2]),
        ("<f8", littleEndian((0.25).bitPattern) + littleEndian((1e10).bitPattern), .float32, [0.25, 1e10]),
        ("<f2", [0x00, 0x3C, 0x00, 0xC4], .float32, [1, -4]), ("|b1", [0, 7], .uint8, [0, 1]),
        ("|u1", [3, 255], .uint8, [3, 255]), ("|i1", [3, 255], .int64, [3, -1]),
        ("<i2", littleEndian(Int16(-300)) + littleEndian(Int16(5)), .int64, [-300, 5]),
        (">u2", bigEndian(UInt16(60000)) + bigEndian(UInt16(5)), .int64, [60000, 5]),
        ("<i4", littleEndian(Int32.min) + littleEndian(Int32(5)), .int64, [-2_147_483_648, 5]),
        ("=u4", littleEndian(UInt32.max) + littleEndian(UInt32(5)), .int64, [4_294_967_295, 5]),
        ("<i8", littleEndian(Int64(1) << 40) + littleEndian(Int64(-1)), .int64, [1_099_511_627_776, -1]),
    ]

    @Test(arguments: types.indices) func everyTypeIsRead(_ index: Int) throws {
        let (descriptor, bytes, dtype, values) = Self.types[index]
        for version in [1, 2, 3] as [UInt8] {
            let tensor = try NPY.read(bytes: Self.file(Self.header(descriptor, "(2,)"), bytes, version: version))
            #expect(tensor.dtype == dtype && tensor.shape == [2])
            switch dtype {
            case .float32: #expect(try tensor.array(of: Float.self).map(Double.init) == values)
            case .int64: #expect(try tensor.array(of: Int64.self).map(Double.init) == values)
            case .uint8: #expect(try tensor.array(of: UInt8.self).map(Double.init) == values)
            }
        }
    }

    @Test func ordersAndShapes() throws {
        let columns = try NPY.read(bytes: Self.file(Self.header("|u1", "(2, 3)", fortran: true), [1, 4, 2, 5, 3, 6]))
        #expect(columns.shape == [2, 3])
        #expect(try columns.array(of: UInt8.self) == [1, 2, 3, 4, 5, 6])
        #expect(try NPY.read(bytes: Self.file(Self.header("|u1", "()"), [9])).shape == [])
        #expect(try NPY.read(bytes: Self.file(Self.header("|u1", "(0, 5)"), [])).shape == [0, 5])
        #expect(try NPY.read(bytes: Self.file("{\"shape\": (2L,), \"descr\":\"|u1\" ,'fortran_order':False}", [1, 2])).shape == [2])
    }

    @Test(arguments: [[], [1], [3, 4], [0, 2], [2, 1, 3, 1], Shape([Int](repeating: 1, count: 32))] as [Shape]) func whatIsWrittenIsRead(shape: Shape) throws {
        let directory = try TemporaryDirectory()
        var random = RandomSource(seed: 3)
        let tensor = try Tensor.normal(shape, using: &random)
        for (number, value) in [tensor, try tensor.multiplying(100).converted(to: .int64)].enumerated() {
            let path = directory.path + "/\(number).npy"
            try NPY.write(value, to: path)
            let bytes = try AtomicFile.read(path)
            #expect((bytes.count - value.byteCount) % 64 == 0, "the elements begin at a multiple of 64")
            let back = try NPY.read(path)
            #expect(back.dtype == value.dtype && back.shape == shape)
            #expect(try back.subtracting(value).converted(to: .float32).norm() == 0)
        }
    }

    static let hostile: [HostileFile] = [
        .init("empty file", bytes: [], "truncated", "magic number"),
        .init("text", bytes: Array("hello, world".utf8), "wrongMagic", "68 65 6c 6c"),
        .init("version 4", bytes: file(header("<f4", "(1,)"), [], version: 4), "unsupported", "version 4.0"),
        .init("cut header", bytes: Array(file(header("<f4", "(1,)"), []).dropLast(5)), "truncated", "the header"),
        .init("vast header", bytes: [0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255, 255, 255], "headerTooLarge", "4294967295"),
        .init("no dictionary", bytes: file("[]", []), "invalidHeader", "'{' was expected"),
        .init("no shape", bytes: file("{'descr': '<f4', 'fortran_order': False}", []), "invalidHeader", "'shape' is missing"),
        .init("a negative extent", bytes: file(header("<f4", "(-1,)"), []), "invalidHeader", "whole number"),
        .init("an extent of 40 digits", bytes: file(header("<f4", "(1\(String(repeating: "0", count: 39)),)"), []), "invalidHeader", "whole number"),
        .init("extents that overflow", bytes: file(header("<f4", "(4294967296, 4294967296, 4294967296)"), []), "invalidShape", "absurd"),
        .init("33 extents", bytes: file(header("<f4", "(" + String(repeating: "1,", count: 33) + ")"), [0, 0, 0, 0]), "invalidHeader", "up to 32"),
        .init("objects", bytes: file(header("|O", "(1,)"), [0]), "unknownType", "'|O'"),
        .init("texts", bytes: file(header("<U4", "(1,)"), [0]), "unknownType", "'<U4'"),
        .init("complex numbers", bytes: file(header("<c8", "(1,)"), [0]), "unknownType", "f4"),
        .init("records", bytes: file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", [0]), "unknownType", "records"),
        .init("an order that is none", bytes: file("{'descr': '<f4', 'fortran_order': 3, 'shape': (1,)}", [0]), "invalidHeader", "a value was expected"),
        .init("something behind", bytes: file(header("<f4", "(1,)") + " evil()", [0, 0, 0, 0]), "invalidHeader", "something follows"),
        .init("too few elements", bytes: file(header("<f4", "(3,)"), [1, 2, 3, 4]), "truncated", "8 bytes are missing"),
        .init("too many elements", bytes: file(header("|u1", "(3,)"), [1, 2, 3, 4]), "trailingBytes", "1 bytes follow"),
        .init("a terabyte", bytes: file(header("<f8", "(1048576, 131072)"), [1]), "truncated", "promises"),
    ]

    @Test(arguments: hostile) func eachLieHasItsError(_ file: HostileFile) {
        let error = failure { _ = try NPY.read(bytes: file.bytes, source: "lying.npy") }
        #expect(error?.code == file.code)
        let description = error?.description ?? "nothing thrown"
        #expect(description.hasPrefix("lying.npy") && description.contains(file.mention), "\(description)")
    }

    @Test func mutationsAndTruncationsNeverTrap() {
        let seed = Self.file(Self.header("<f4", "(2, 2)"), [UInt8](repeating: 1, count: 16))
        for count in seed.indices { #expect(throws: FormatFailure.self) { try NPY.read(bytes: Array(seed[..<count])) } }
        var random = RandomSource(seed: 8)
        for _ in 0..<3000 {
            do { _ = try NPY.read(bytes: random.mutated(seed)) } catch { #expect(error is FormatFailure, "\(error)") }
        }
    }
}
