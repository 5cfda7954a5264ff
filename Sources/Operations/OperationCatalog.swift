import Basics

/// Every operation there is. A test holds this list against the gradient checks.
public enum OperationCatalog {
    public static let all: [any GraphOperation.Type] = [
        AdaptiveAveragePool2D.self, Add.self, BatchNorm.self, Clip.self, Concatenate.self, Conv2D.self,
        ConvTranspose2D.self, CrossEntropy.self, Divide.self, Dropout.self, ELU.self, ErrorFunction.self, Expand.self,
        Exponential.self, Extremum.self, Flatten.self, GELU.self, Gather.self, GlobalAveragePool2D.self,
        HardSigmoid.self, HardSwish.self, KLDivergence.self, LayerNorm.self, LeakyReLU.self, Linear.self,
        LogSoftmax.self, Logarithm.self, Abs.self, MatrixMultiply.self, MeanSquaredError.self, Mish.self, Multiply.self,
        PReLU.self, Pad.self, Pool2D.self, Power.self, ReLU.self, ReduceMean.self, ReduceSum.self, Reshape.self,
        Resize.self, Scale.self, Sigmoid.self, Slice.self, Softmax.self, Softplus.self, SquareRoot.self,
        SubsamplePad.self, Subtract.self, Sum.self, SiLU.self, Tanh.self, Transpose.self, Trunc.self,
    ]

    /// Those that treat every element of one input alike.
    package static let elementFunctions: [any ElementFunction.Type] = all.compactMap { $0 as? any ElementFunction.Type }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The operation called `name` with these attributes.
    /// - Throws: `OperationFailure.unknown` with the nearest name; `attribute` for one that is missing, unknown or out
    ///   of range.
    public static func make(_ name: String, _ attributes: [String: AttributeValue]) throws -> any GraphOperation {
        guard let type = byName[name] else {
            throw OperationFailure.unknown(name: name, nearest: nearestName(to: name, among: byName.keys))
        }
        let made = try type.init(attributes: Attributes(name, attributes))
        let known = made.attributes.values.keys
        if let stranger = attributes.keys.filter({ !known.contains($0) }).min() {
            let hint = didYouMean(nearestName(to: stranger, among: known))
            throw OperationFailure.attribute(operation: name, detail: "there is no attribute '\(stranger)'" + hint)
        }
        return made
    }
}
