import Basics

/// A random change of training images that leaves their class the same.
public enum Augmentation: Sendable, Equatable {
    /// Moves the image by up to `padding` pixels (0 to the smaller side) each way; what comes in from outside is black.
    case crop(padding: Int)
    /// Mirrors left and right, every other time.
    case flip

    /// `crop` (by 4 pixels) or `flip`.
    /// - Throws: `DatasetFailure.invalidOption` with the nearest name.
    public init(named name: String) throws {
        switch name {
        case "crop": self = .crop(padding: 4)
        case "flip": self = .flip
        default:
            let hint = didYouMean(nearestName(to: name, among: ["crop", "flip"]))
            throw DatasetFailure.invalidOption(
                option: "augmentation", detail: "'\(name)' is neither 'crop' nor 'flip'\(hint)")
        }
    }

    /// - Throws: `DatasetFailure.invalidOption` when an augmentation does not suit images of this size, or comes twice.
    static func validate(_ augmentations: [Augmentation], height: Int, width: Int) throws {
        var crops = 0
        for case .crop(let padding) in augmentations {
            crops += 1
            guard (0...min(height, width)).contains(padding) else {
                throw DatasetFailure.invalidOption(
                    option: "augmentation",
                    detail: "a crop cannot pad images of \(height) × \(width) pixels by \(padding)")
            }
        }
        guard crops <= 1, augmentations.count - crops <= 1 else {
            throw DatasetFailure.invalidOption(
                option: "augmentation", detail: "an image can be cropped once and flipped once")
        }
    }
}

/// How one image is laid into a batch: moved, then perhaps mirrored.
struct Placement: Equatable {
    /// The row of the source that comes first, and the column; negative ones lie in the padding.
    var top = 0
    var left = 0
    var isMirrored = false

    init() {}

    /// Draws a placement by `augmentations`.
    init(_ augmentations: [Augmentation], using random: inout RandomSource) {
        for augmentation in augmentations {
            switch augmentation {
            case .crop(let padding):
                top = SampleOrder.below(2 * padding + 1, using: &random) - padding
                left = SampleOrder.below(2 * padding + 1, using: &random) - padding
            case .flip: isMirrored = random.next() >> 63 == 1
            }
        }
    }
}
