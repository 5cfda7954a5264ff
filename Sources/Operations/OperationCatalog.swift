import Basics

/// Every operation there is. A test holds this list against the gradient checks.
public enum OperationCatalog {
    public static let all: [any Operation.Type] = [
        Add.self, AdaptiveAveragePool2D.self, BatchNorm.self, Clip.self, Conv2D.self, CrossEntropy.self,
        Dropout.self, Flatten.self, GlobalAveragePool2D.self, KLDivergence.self, Linear.self, LogSoftmax.self, MatrixMultiply.self,
        MeanSquaredError.self, Multiply.self, Pad.self, Pool2D.self, ReLU.self, Reshape.self, Scale.self,
        Slice.self, SubsamplePad.self, Subtract.self, Sum.self,
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The operation called `name` with these attributes.
    /// - Throws: `OperationFailure.unknown` with the nearest name; `attribute` for one that is missing, unknown or out
    ///   of range.
    public static func make(_ name: String, _ attributes: [String: AttributeValue]) throws -> any Operation {
        guard let type = byName[name] else {
            throw OperationFailure.unknown(name: name, nearest: nearestName(to: name, among: byName.keys))
        }
        let made = try type.init(attributes: Attributes(name, attributes))
        let known = made.attributes.values.keys
        if let stranger = attributes.keys.filter({ !known.contains($0) }).min() {
            let hint = nearestName(to: stranger, among: known).map { " (did you mean '\($0)'?)" } ?? ""
            throw OperationFailure.attribute(operation: name, detail: "there is no attribute '\(stranger)'" + hint)
        }
        return made
    }
}
