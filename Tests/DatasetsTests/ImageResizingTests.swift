import Basics
import Datasets
import Formats
import Tensors
import Testing

@Suite struct ImageResizingTests {
    private static let golden =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fixtures/pictures.npz"

    /// PyTorch's antialiased bilinear interpolation of the same picture, smaller and larger.
    @Test(arguments: [("resized", 5, 6), ("enlarged", 20, 17)]) func agreesWithPyTorch(name: String, height: Int, width: Int) throws {
        let arrays = try NPZ.read(Self.golden)
        let expected = try #require(arrays.first { $0.name == name }).tensor.array(of: Float.self)
        let pixels = arrays[0].tensor
        let exact = try ImageResizing.resize(pixels.converted(to: .float32), height: height, width: width)
        #expect(exact.shape == [3, height, width])
        for (a, b) in zip(try exact.array(of: Float.self), expected) { #expect(abs(a - b) < 1e-3) }
        let rounded = try ImageResizing.resize(pixels, height: height, width: width)
        #expect(rounded.dtype == .uint8)
        for (a, b) in zip(try rounded.array(of: UInt8.self), expected) { #expect(abs(Float(a) - b) <= 0.501) }
    }

    @Test(arguments: [(1, 1), (3, 7), (40, 2)]) func oneColourStays(height: Int, width: Int) throws {
        let grey = try Tensor.full([2, 1, 9, 4], 77, dtype: .uint8)
        let result = try ImageResizing.resize(grey, height: height, width: width)
        #expect(result.shape == [2, 1, height, width])
        #expect(try result.array(of: UInt8.self).allSatisfy { $0 == 77 })
    }

    @Test func meansStayWhereEveryPixelCountsAlike() throws {
        var random = RandomSource(seed: 1)
        let image = try Tensor.uniform([1, 1, 12, 12], low: 0, high: 1, using: &random)
        let half = try ImageResizing.resize(image, height: 1, width: 1)
        // One target pixel: a triangle over all of the source.
        #expect(abs(try half.scalar() - image.average()) < 0.2)
    }

    @Test(arguments: [(0, 4), (4, -1), (1 << 20, 4)]) func sizesThatAreNone(height: Int, width: Int) throws {
        let image = try Tensor.zeros([1, 4, 4])
        let error = #expect(throws: DatasetFailure.self) { try ImageResizing.resize(image, height: height, width: width) }
        #expect(error?.code == "dataset.invalidOption")
        #expect(throws: DatasetFailure.self) { try ImageResizing.resize(Tensor.zeros([0, 4, 4]), height: 2, width: 2) }
    }
}
