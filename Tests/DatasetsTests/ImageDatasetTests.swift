import Testing

import Basics
import Datasets
import Tensors

@Suite struct ImageDatasetTests {
    @Test func figuresDescribeTheImages() throws {
        let data = try sampleImages(7, channels: 2)
        #expect(data.count == 7)
        #expect(data.imageShape == [2, 5, 7])
        #expect(data.classNames == ["0", "1", "2"])
        #expect(data.classSizes == [3, 2, 2])
        #expect(try data.labelTensor().array(of: Int64.self) == [0, 1, 2, 0, 1, 2, 0])
        #expect(data.description == "sample (train): 7 images [2, 5, 7] of 3 classes")
    }

    struct Misfit: CustomTestStringConvertible {
        let testDescription: String
        var shape: Shape = [2, 1, 3, 3]
        var dtype = DType.uint8
        var labels = [0, 1]
        var classNames: [String]?
        var mean: [Float]?
        var deviation: [Float]?
        var code = "dataset.inconsistent"
        var mention: String
    }

    static let misfits: [Misfit] = [
        Misfit(testDescription: "rank 3", shape: [2, 3, 3], mention: "[2, 3, 3]"),
        Misfit(testDescription: "no pixels", shape: [2, 1, 0, 3], mention: "[2, 1, 0, 3]"),
        Misfit(testDescription: "integers", dtype: .int64, mention: "int64"),
        Misfit(testDescription: "a label missing", labels: [0], mention: "2 images, but 1 labels"),
        Misfit(testDescription: "two means of one channel", mean: [0, 0], mention: "got 2 and 1"),
        Misfit(testDescription: "no deviations", deviation: [], mention: "got 1 and 0"),
        Misfit(testDescription: "deviation of 0", deviation: [0], mention: "not positive"),
        Misfit(testDescription: "deviation is no number", deviation: [.nan], mention: "not positive"),
        Misfit(testDescription: "infinite mean", mean: [.infinity], mention: "not finite"),
        Misfit(testDescription: "absurd label", labels: [0, 1 << 40], mention: "absurdly large"),
        Misfit(
            testDescription: "negative label", labels: [0, -1], code: "dataset.labelOutOfRange",
            mention: "image 1 has the label -1, which is out of range 0..<1"),
        Misfit(
            testDescription: "label beyond the classes", labels: [2, 0], classNames: ["a", "b"],
            code: "dataset.labelOutOfRange", mention: "image 0 has the label 2, which is out of range 0..<2"),
    ]

    @Test(arguments: misfits)
    func whatDoesNotBelongTogetherIsRefused(_ misfit: Misfit) {
        let error = failure {
            _ = try ImageDataset(
                name: "bad", images: .zeros(misfit.shape, dtype: misfit.dtype), labels: misfit.labels,
                classNames: misfit.classNames, mean: misfit.mean, deviation: misfit.deviation)
        }
        #expect(error?.code == misfit.code)
        let description = error?.description ?? "nothing thrown"
        #expect(description.hasPrefix("bad: ") && description.contains(misfit.mention), "\(description)")
    }

    @Test func viewsOfImagesAreTakenAsTheyRead() throws {
        let columns = try Tensor([UInt8](0..<6), shape: [1, 1, 2, 3]).permuted([0, 1, 3, 2])
        let batch = try BatchLoader(ImageDataset(images: columns, labels: [0])).epoch().next()
        let pixels: [Float] = [0, 3, 1, 4, 2, 5]
        #expect(try batch?.images.array(of: Float.self) == pixels.map { $0 * Float(1.0 / 255) })
    }
}
