import Testing

import Basics
import Datasets
import Tensors

@Suite struct AugmentationTests {
    /// The placement by a plain loop that has no cleverness to go wrong.
    private func placed(_ raw: [UInt8], _ data: ImageDataset, top: Int, left: Int, mirrored: Bool) -> [Float] {
        let (channels, height, width) = (data.imageShape[0], data.imageShape[1], data.imageShape[2])
        var result: [Float] = []
        for c in 0..<channels {
            let scale = Float(1 / (255 * Double(data.deviation[c])))
            let bias = Float(-Double(data.mean[c]) / Double(data.deviation[c]))
            for y in 0..<height {
                for x in 0..<width {
                    let (sy, sx) = (y + top, (mirrored ? width - 1 - x : x) + left)
                    let isInside = (0..<height).contains(sy) && (0..<width).contains(sx)
                    result.append(isInside ? Float(raw[(c * height + sy) * width + sx]) * scale + bias : bias)
                }
            }
        }
        return result
    }

    /// Every augmented image is one of the placements that its augmentations allow, and all of those occur.
    @Test(
        arguments: [
            ([.flip], 0, true), ([.crop(padding: 1)], 1, false), ([.crop(padding: 1), .flip], 1, true),
            ([.flip, .crop(padding: 3)], 3, true), ([.crop(padding: 0)], 0, false),
        ] as [([Augmentation], Int, Bool)])
    func allPlacementsOccurAndNoOthers(_ augmentations: [Augmentation], _ padding: Int, _ flips: Bool) throws {
        let data = try sampleImages(1, channels: 2, height: 3, width: 4, mean: [0.3, 0.6], deviation: [0.5, 0.7])
            .subset([Int](repeating: 0, count: 3000))
        let raw = Array(try data.images.array(of: UInt8.self)[..<24])
        var expected = Set<[Float]>()
        for top in -padding...padding {
            for left in -padding...padding {
                expected.insert(placed(raw, data, top: top, left: left, mirrored: false))
                if flips { expected.insert(placed(raw, data, top: top, left: left, mirrored: true)) }
            }
        }
        var options = BatchLoader.Options()
        options.augmentations = augmentations
        var seen = Set<[Float]>()
        for batch in try collect(BatchLoader(data, options).epoch()) {
            seen.formUnion(try imageValues(batch))
        }
        #expect(seen == expected)
    }

    @Test func epochsAndSeedsAugmentDifferently() throws {
        let data = try sampleImages(64)
        func values(_ seed: UInt64, _ epoch: Int) throws -> [Float] {
            var options = BatchLoader.Options()
            (options.seed, options.augmentations) = (seed, [.crop(padding: 2)])
            return try collect(BatchLoader(data, options).epoch(epoch))[0].images.array(of: Float.self)
        }
        #expect(try values(1, 0) == values(1, 0))
        #expect(try values(1, 0) != values(1, 1))
        #expect(try values(1, 0) != values(2, 0))
    }

    /// Moves are drawn from the position in the epoch, not from the image, whose copies must differ.
    @Test func copiesOfAnImageAreAugmentedDifferently() throws {
        var options = BatchLoader.Options()
        options.augmentations = [.crop(padding: 2), .flip]
        let data = try sampleImages(1).subset([0, 0, 0, 0, 0, 0, 0, 0])
        let batch = try #require(try BatchLoader(data, options).epoch().next())
        #expect(Set(try imageValues(batch)).count > 4)
    }

    static let unsuitable: [[Augmentation]] = [
        [.crop(padding: -1)], [.crop(padding: 6)], [.crop(padding: .max)], [.flip, .flip],
        [.crop(padding: 1), .crop(padding: 2)],
    ]

    @Test(arguments: unsuitable)
    func unsuitableAugmentationIsRefused(_ augmentations: [Augmentation]) throws {
        var options = BatchLoader.Options()
        options.augmentations = augmentations
        let data = try sampleImages(2)
        #expect(failure { _ = try BatchLoader(data, options) }?.code == "dataset.invalidOption")
    }

    @Test func namesAreRead() throws {
        #expect(try Augmentation(named: "crop") == .crop(padding: 4))
        #expect(try Augmentation(named: "flip") == .flip)
        #expect(failure { _ = try Augmentation(named: "flp") }?.description.contains("did you mean 'flip'?") == true)
    }
}
