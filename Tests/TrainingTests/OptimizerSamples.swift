import Basics
import Graphs
import Tensors
import Training

/// Parameter tables and gradients for tests of optimisers.
enum OptimizerSamples {
    static let shapes: [(name: String, shape: Shape, isTrainable: Bool)] = [
        ("conv.weight", [3, 2, 3, 3], true), ("conv.bias", [3], true), ("bn.running_mean", [3], false),
    ]

    static func table(seed: UInt64 = 1) throws -> ParameterTable {
        var random = RandomSource(seed: seed)
        var table = ParameterTable()
        for (name, shape, isTrainable) in shapes {
            table[name] = .init(tensor: try .normal(shape, using: &random), isTrainable: isTrainable)
        }
        return table
    }

    /// Gradients of step `step`, for every parameter: those that are not trainable must be left alone.
    static func gradients(step: Int) throws -> [String: Tensor] {
        var random = RandomSource(seed: UInt64(100 + step))
        var result: [String: Tensor] = [:]
        for (name, shape, _) in shapes { result[name] = try .normal(shape, using: &random) }
        return result
    }

    static func numbers(_ table: ParameterTable, _ name: String) throws -> [Double] {
        try (table[name]?.tensor.array(of: Float.self) ?? []).map(Double.init)
    }

    static func numbers(_ gradients: [String: Tensor], _ name: String) throws -> [Double] {
        try (gradients[name]?.array(of: Float.self) ?? []).map(Double.init)
    }

    /// The largest |a − b| / (|b| + 1).
    static func difference(_ a: [Double], _ b: [Double]) -> Double {
        guard a.count == b.count, !a.isEmpty else { return .infinity }
        return zip(a, b).map { abs($0 - $1) / (abs($1) + 1) }.max() ?? 0
    }
}
