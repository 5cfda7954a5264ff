import Testing

import Basics
import Formats
import Tensors

@Suite struct SafetensorsRoundTripTests {
    /// Made by the reference implementation 0.8.0:
    ///
    ///     import numpy as np; from safetensors.numpy import save
    ///     save({"weight": np.array([[1, -2.5], [0.1, 3e8]], np.float32),
    ///           "half": np.array([1.5, -0.25, 65504], np.float16), "wide": np.array([1/3, -1e300], np.float64),
    ///           "steps": np.array([-7, 2**40], np.int64), "small": np.array([-5, 2147483647], np.int32),
    ///           "pixels": np.array([0, 128, 255], np.uint8), "scalar": np.array(2.0, np.float32),
    ///           "empty": np.zeros((0, 3), np.float32)}, metadata={"made by": "reference"}).hex()
    private static let reference = bytes(
        hexadecimal: """
            08020000000000007b225f5f6d657461646174615f5f223a7b226d616465206279223a227265666572656e6365227d2c2273\
            74657073223a7b226474797065223a22493634222c227368617065223a5b325d2c22646174615f6f666673657473223a5b30\
            2c31365d7d2c2277696465223a7b226474797065223a22463634222c227368617065223a5b325d2c22646174615f6f666673\
            657473223a5b31362c33325d7d2c22656d707479223a7b226474797065223a22463332222c227368617065223a5b302c335d\
            2c22646174615f6f666673657473223a5b33322c33325d7d2c227363616c6172223a7b226474797065223a22463332222c22\
            7368617065223a5b5d2c22646174615f6f666673657473223a5b33322c33365d7d2c22776569676874223a7b226474797065\
            223a22463332222c227368617065223a5b322c325d2c22646174615f6f666673657473223a5b33362c35325d7d2c22736d61\
            6c6c223a7b226474797065223a22493332222c227368617065223a5b325d2c22646174615f6f666673657473223a5b35322c\
            36305d7d2c2268616c66223a7b226474797065223a22463136222c227368617065223a5b335d2c22646174615f6f66667365\
            7473223a5b36302c36365d7d2c22706978656c73223a7b226474797065223a225538222c227368617065223a5b335d2c2264\
            6174615f6f666673657473223a5b36362c36395d7d7d202020202020f9ffffffffffffff0000000000010000555555555555\
            d53f9c7500883ce437fe000000400000803f000020c0cdcccc3d180d8f4dfbffffffffffff7f003e00b4ff7b0080ff
            """)

    @Test func referenceFileIsRead() throws {
        let file = try SafetensorsFile(bytes: Self.reference)
        #expect(file.metadata == ["made by": "reference"])
        #expect(file.names == ["steps", "wide", "empty", "scalar", "weight", "small", "half", "pixels"])
        #expect(try file["weight"]?.array(of: Float.self) == [1, -2.5, 0.1, 3e8])
        #expect(file["weight"]?.shape == [2, 2])
        #expect(try file["half"]?.array(of: Float.self) == [1.5, -0.25, 65504])
        #expect(try file["wide"]?.array(of: Float.self) == [Float(1.0 / 3), -.infinity])
        #expect(try file["steps"]?.array(of: Int64.self) == [-7, 1 << 40])
        #expect(try file["small"]?.array(of: Int64.self) == [-5, 2_147_483_647])
        #expect(try file["pixels"]?.array(of: UInt8.self) == [0, 128, 255])
        #expect(try file["scalar"]?.scalar() == 2)
        #expect(file["scalar"]?.shape == [])
        #expect(file["empty"]?.shape == [0, 3])
        #expect(file["absent"] == nil)
    }

    @Test func brainFloatsAreTheUpperHalfOfFloats() throws {
        let header = #"{"x":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}}"#
        let data: [UInt8] = [0x80, 0x3F, 0x20, 0xC0, 0x80, 0x7F]
        let file = try SafetensorsFile(bytes: littleEndian(UInt64(header.utf8.count)) + header.utf8 + data)
        #expect(try file["x"]?.array(of: Float.self) == [1, -2.5, .infinity])
    }

    private static func sample() throws -> SafetensorsFile {
        try SafetensorsFile(
            tensors: [
                ("pixels", Tensor([UInt8](0..<5))),
                ("weight é\"", Tensor((0..<6).map { Float($0) / 7 }, shape: [2, 3])),
                ("steps", Tensor([Int64.min, .max])), ("nothing", .zeros([0, 4])), ("scalar", .full([], 3)),
            ], metadata: ["zebra": "1", "ape": "{\"json\": [1]}\n"])
    }

    @Test func everythingComesBack() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.sample()
        let path = directory.path + "/sample.safetensors"
        try file.write(to: path)
        let back = try SafetensorsFile(path: path)
        #expect(back.metadata == file.metadata)
        #expect(back.names == file.names)
        for (one, other) in zip(file.tensors, back.tensors) {
            #expect(one.tensor.shape == other.tensor.shape)
            #expect(one.tensor.dtype == other.tensor.dtype)
        }
        #expect(try back["weight é\""]?.array(of: Float.self) == (0..<6).map { Float($0) / 7 })
        #expect(try back["steps"]?.array(of: Int64.self) == [.min, .max])
        #expect(try back["pixels"]?.array(of: UInt8.self) == [0, 1, 2, 3, 4])
    }

    @Test func bytesAreTheSameEveryTime() throws {
        let first = try Self.sample().bytes()
        for _ in 0..<5 { #expect(try Self.sample().bytes() == first) }
        #expect(try SafetensorsFile(bytes: first).bytes() == first)
    }

    @Test func dataIsAligned() throws {
        let bytes = try Self.sample().bytes()
        let headerCount = Int(bytes[0]) | Int(bytes[1]) << 8
        #expect(headerCount % 8 == 0)
        let header = try JSONValue.parse(Array(bytes[8..<(8 + headerCount)]))
        for (name, size) in [("steps", 8), ("weight é\"", 4), ("scalar", 4), ("pixels", 1)] {
            let begin = try #require(header[name]?["data_offsets"]?.array?.first?.integer)
            #expect(begin % size == 0)
        }
    }

    @Test func viewsAreWrittenAsTheyRead() throws {
        let matrix = try Tensor((0..<6).map(Float.init), shape: [2, 3])
        let bytes = try SafetensorsFile(tensors: [("t", matrix.transposed())]).bytes()
        let back = try SafetensorsFile(bytes: bytes)
        #expect(back["t"]?.shape == [3, 2])
        #expect(try back["t"]?.array(of: Float.self) == [0, 3, 1, 4, 2, 5])
    }

    @Test func emptyFileIsAFile() throws {
        let file = try SafetensorsFile(bytes: SafetensorsFile(tensors: []).bytes())
        #expect(file.tensors.isEmpty)
        #expect(file.metadata.isEmpty)
    }

    @Test(arguments: [["a", "a"], ["__metadata__"]])
    func namesMustBeFree(_ names: [String]) throws {
        let tensor = try Tensor.zeros([1])
        let error = failure { _ = try SafetensorsFile(tensors: names.map { ($0, tensor) }) }
        #expect(error?.code == "format.notRepresentable")
        #expect(error?.description.contains("'\(names[0])'") == true)
    }

    @Test func failedWriteLeavesTheOldFile() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("kept.safetensors", [1, 2, 3])
        let error = failure { try Self.sample().write(to: directory.path + "/missing/x.safetensors") }
        #expect(error?.code == "file.cannotWrite")
        #expect(try directoryEntries(directory.path) == ["kept.safetensors"])
        try Self.sample().write(to: path)
        #expect(try directoryEntries(directory.path) == ["kept.safetensors"])
        #expect(try SafetensorsFile(path: path).tensors.count == 5)
    }
}
