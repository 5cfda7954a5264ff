import Testing

import Basics
import Datasets
import Tensors

@Suite struct BatchLoaderTests {
    private func options(_ change: (inout BatchLoader.Options) -> Void) -> BatchLoader.Options {
        var options = BatchLoader.Options()
        options.batchSize = 4
        change(&options)
        return options
    }

    private func expectEqual(_ one: [Batch], _ other: [Batch]) throws {
        #expect(one.map(\.indices) == other.map(\.indices))
        for (a, b) in zip(one, other) {
            #expect(try a.images.array(of: Float.self) == b.images.array(of: Float.self))
            #expect(try a.labels.array(of: Int64.self) == b.labels.array(of: Int64.self))
        }
    }

    @Test(arguments: [(10, false, [4, 4, 2]), (10, true, [4, 4]), (8, false, [4, 4]), (3, true, []), (0, false, [])])
    func imagesAreCutIntoBatches(_ count: Int, _ drops: Bool, _ sizes: [Int]) throws {
        let loader = try BatchLoader(sampleImages(count), options { $0.dropsPartialBatch = drops })
        let iterator = try loader.epoch()
        let batches = try collect(iterator)
        #expect(batches.map(\.count) == sizes)
        #expect(loader.batchCount == sizes.count)
        #expect(batches.flatMap(\.indices) == Array(0..<sizes.reduce(0, +)))
        #expect(try iterator.next() == nil)
        for batch in batches {
            #expect(batch.images.shape == [batch.count, 1, 5, 7])
            #expect(try batch.labels.array(of: Int64.self) == batch.indices.map { Int64($0 % 3) })
        }
    }

    /// Each step of `pixel · scale + bias` rounds once, to 2⁻²⁴ of values up to 4.
    @Test func pixelsAreNormalisedByChannel() throws {
        let data = try sampleImages(3, channels: 2, mean: [0.5, 0.25], deviation: [0.25, 2])
        let batch = try #require(try BatchLoader(data).epoch().next())
        let (raw, got) = (try data.images.array(of: UInt8.self), try batch.images.array(of: Float.self))
        for i in got.indices {
            let channel = i / 35 % 2
            let expected = (Double(raw[i]) / 255 - [0.5, 0.25][channel]) / [0.25, 2][channel]
            #expect(abs(Double(got[i]) - expected) < 1e-6)
        }
    }

    @Test func floatImagesAreLeftAsTheyAre() throws {
        var random = RandomSource(seed: 3)
        let images = try Tensor.normal([3, 2, 4, 4], using: &random)
        let batch = try BatchLoader(ImageDataset(images: images, labels: [0, 1, 0])).epoch().next()
        #expect(try batch?.images.array(of: Float.self) == images.array(of: Float.self))
    }

    @Test func floatImagesCanBeNormalised() throws {
        let images = try Tensor([Float(3), -1], shape: [1, 2, 1, 1])
        let data = try ImageDataset(images: images, labels: [0], mean: [1, 0], deviation: [0.5, 4])
        #expect(try BatchLoader(data).epoch().next()?.images.array(of: Float.self) == [4, -0.25])
    }

    @Test func shuffledEpochsHaveOrdersOfTheirOwn() throws {
        let data = try sampleImages(100)
        func order(_ seed: UInt64, _ epoch: Int) throws -> [Int] {
            let loader = try BatchLoader(data, options { ($0.shuffles, $0.seed) = (true, seed) })
            return try collect(loader.epoch(epoch)).flatMap(\.indices)
        }
        let first = try order(1, 0)
        #expect(first.sorted() == Array(0..<100))
        #expect(first != Array(0..<100))
        #expect(try order(1, 0) == first)
        #expect(try order(1, 1) != first)
        #expect(try order(2, 0) != first)
        #expect(try order(1, -1).sorted() == Array(0..<100))
    }

    static let variants: [[Augmentation]] = [[], [.flip], [.crop(padding: 2)], [.crop(padding: 4), .flip]]

    @Test(arguments: variants)
    func prefetchChangesNothing(_ augmentations: [Augmentation]) throws {
        let data = try sampleImages(50, channels: 2)
        func batches(prefetches: Bool) throws -> [Batch] {
            let chosen = options {
                ($0.shuffles, $0.seed, $0.augmentations, $0.prefetches) = (true, 9, augmentations, prefetches)
            }
            return try collect(BatchLoader(data, chosen).epoch(3))
        }
        try expectEqual(batches(prefetches: true), batches(prefetches: false))
    }

    @Test(arguments: variants)
    func epochsGoOnWhereTheyStopped(_ augmentations: [Augmentation]) throws {
        let chosen = options { ($0.shuffles, $0.augmentations) = (true, augmentations) }
        let loader = try BatchLoader(sampleImages(30), chosen)
        let whole = try collect(loader.epoch(2))
        for start in 0...loader.batchCount {
            try expectEqual(collect(loader.epoch(2, startingAt: start)), Array(whole[start...]))
        }
    }

    @Test func iteratorSaysWhereItIsAndCanBeClosed() throws {
        let iterator = try BatchLoader(sampleImages(20), options { _ in }).epoch(0, startingAt: 1)
        #expect(iterator.nextBatch == 1)
        _ = try iterator.next()
        #expect(iterator.nextBatch == 2)
        #expect(iterator.batchCount == 5)
        iterator.close()
        #expect(try iterator.next() == nil)
    }

    @Test func optionsBeyondTheirRangeAreRefused() throws {
        let data = try sampleImages(8)
        for size in [0, -1] {
            let chosen = options { $0.batchSize = size }
            #expect(failure { _ = try BatchLoader(data, chosen) }?.code == "dataset.invalidOption")
        }
        let loader = try BatchLoader(data, options { _ in })
        for start in [-1, 3] {
            #expect(failure { _ = try loader.epoch(0, startingAt: start) }?.code == "dataset.invalidOption")
        }
    }

    @Test func absurdBatchSizeIsOneBatch() throws {
        let batches = try collect(BatchLoader(sampleImages(8), options { $0.batchSize = .max }).epoch())
        #expect(batches.map(\.count) == [8])
    }
}
