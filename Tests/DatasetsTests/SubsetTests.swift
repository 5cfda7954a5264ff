import Testing

import Basics
import Datasets
import Tensors

@Suite struct SubsetTests {
    private func firstPixels(_ data: ImageDataset) throws -> [Int] {
        let size = data.imageShape.elementCount
        let pixels = try data.images.array(of: UInt8.self)
        return (0..<data.count).map { Int(pixels[$0 * size]) / 7 }
    }

    @Test(arguments: [(0, 0), (3, 3), (9, 5)])
    func prefixIsTheBeginning(_ wanted: Int, _ got: Int) throws {
        let part = try sampleImages(5).prefix(wanted)
        #expect(try firstPixels(part) == Array(0..<got))
        #expect(part.labels.count == got)
        #expect(part.classNames.count == 3)
    }

    @Test func subsetKeepsTheGivenOrder() throws {
        let part = try sampleImages(6).subset([4, 0, 4])
        #expect(try firstPixels(part) == [4, 0, 4])
        #expect(part.labels == [1, 0, 1])
    }

    @Test func strayIndicesAreRefused() throws {
        let data = try sampleImages(4)
        let stray = failure { _ = try data.subset([0, 4]) }
        #expect(stray?.description == "subset of sample: image 4 is out of range 0..<4")
        #expect(failure { _ = try data.subset([-1]) }?.code == "dataset.indexOutOfRange")
        #expect(failure { _ = try data.prefix(-1) }?.code == "dataset.invalidOption")
    }

    /// Class sizes, images wanted, and the shares that the quotas round to.
    static let shares: [([Int], Int, [Int])] = [
        ([10, 10, 10], 15, [5, 5, 5]), ([10, 20, 30], 6, [1, 2, 3]), ([2, 2, 96], 10, [1, 1, 8]),
        ([2, 2, 96], 99 - 2, [1, 1, 95]), ([5, 0, 5], 4, [2, 0, 2]), ([2, 2], 2, [1, 1]), ([3, 3, 3], 4, [2, 1, 1]),
    ]

    private func dataset(classSizes sizes: [Int]) throws -> ImageDataset {
        let labels = sizes.enumerated().flatMap { [Int](repeating: $0, count: $1) }
        return try ImageDataset(
            images: .zeros([labels.count, 1, 1, 1], dtype: .uint8), labels: labels,
            classNames: sizes.indices.map(String.init))
    }

    @Test(arguments: shares)
    func splitKeepsProportions(_ sizes: [Int], _ count: Int, _ expected: [Int]) throws {
        let data = try dataset(classSizes: sizes)
        let (first, second) = try data.split(count: count, seed: 5)
        #expect(first.count == count)
        #expect(first.classSizes.sorted() == expected.sorted())
        #expect(zip(first.classSizes, second.classSizes).map(+) == sizes)
        for (size, share) in zip(sizes, first.classSizes) where size > 0 { #expect(share > 0 && share < size) }
    }

    /// Class sizes, images wanted, and how many of each class are drawn, in any order.
    static let draws: [([Int], Int, [Int])] = [
        ([10, 20, 30], 6, [1, 2, 3]), ([1, 1, 1, 1], 2, [1, 1, 0, 0]), ([1, 99], 50, [1, 49]), ([2, 2], 3, [2, 1]), ([5, 0, 5], 99, [5, 0, 5]),
    ]

    @Test(arguments: draws)
    func samplesKeepProportionsAsTheyCan(_ sizes: [Int], _ count: Int, _ expected: [Int]) throws {
        let data = try dataset(classSizes: sizes)
        let drawn = try data.sample(count: count, seed: 5)
        #expect(drawn.count == min(count, data.count) && drawn.classSizes.sorted() == expected.sorted())
    }

    /// What is measured on a part of the images is measured on the same one however it is taken.
    @Test func samplesAreTheFirstPartOfSplits() throws {
        let data = try sampleImages(30)
        #expect(try firstPixels(data.sample(count: 9, seed: 1)) == firstPixels(data.split(count: 9, seed: 1).first))
        #expect(failure { _ = try data.sample(count: 0, seed: 1) }?.code == "dataset.invalidOption")
    }

    @Test func splitPartsTheImages() throws {
        let data = try sampleImages(30)
        let (first, second) = try data.split(fraction: 0.3, seed: 1)
        let (one, other) = (try firstPixels(first), try firstPixels(second))
        #expect(first.count == 9)
        #expect(Set(one).union(other) == Set(0..<30) && one.count + other.count == 30)
        #expect(one == one.sorted() && other == other.sorted())
        #expect(try firstPixels(data.split(fraction: 0.3, seed: 1).first) == one)
        #expect(try firstPixels(data.split(fraction: 0.3, seed: 2).first) != one)
    }

    @Test func splitsThatCannotBeAreRefused() throws {
        let data = try sampleImages(30)
        for fraction in [0, 1, -0.5, .nan, .infinity] {
            #expect(failure { _ = try data.split(fraction: fraction, seed: 1) }?.code == "dataset.invalidOption")
        }
        for count in [-1, 0, 2, 28, 30, 31, .max] {
            #expect(failure { _ = try data.split(count: count, seed: 1) }?.code == "dataset.invalidSplit")
        }
        let single = failure { _ = try sampleImages(4).split(count: 3, seed: 1) }
        #expect(single?.description.contains("class '1' has one image") == true)
        #expect(failure { _ = try sampleImages(0).split(count: 0, seed: 1) }?.code == "dataset.invalidSplit")
    }
}
