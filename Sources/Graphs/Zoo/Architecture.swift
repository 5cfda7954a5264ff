public import Tensors

/// A family of networks for classifying images, built with fresh weights.
public protocol Architecture: Sendable {
    /// One image: [C, H, W].
    var imageShape: Shape { get }
    var classCount: Int { get }

    /// The network with freshly initialised weights.
    /// - Throws: `GraphFailure.invalidArchitecture` when the depth, image or number of classes is none of this family.
    func build(seed: UInt64) throws -> Graph

    /// What PyTorch calls the layers: for each node with parameters the names of the module in state dicts, the usual
    /// one first; its `weight`, `bias`, `running_mean` and `running_var` are called alike.
    func stateDictModules() -> [String: [String]]
}

extension Architecture {
    /// - Throws: `GraphFailure.invalidArchitecture` unless images are [C, H, W] of at least `extent` × `extent`, with
    ///   fewer than 2⁴⁰ values, and there are two classes or more.
    func requireImages(atLeast extent: Int, family: String) throws {
        guard imageShape.rank == 3, imageShape[0] >= 1, imageShape[1] >= extent, imageShape[2] >= extent,
            classCount >= 2, ShapeInference.isReasonable(imageShape)
        else {
            throw GraphFailure.invalidArchitecture(
                detail: "\(family): needs images [C, H, W] of at least \(extent)×\(extent), with fewer than 2⁴⁰ values, and 2 classes, "
                    + "but got \(imageShape) and \(classCount)")
        }
    }
}
