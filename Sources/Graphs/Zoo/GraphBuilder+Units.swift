import Operations
import Tensors

extension GraphBuilder {
    /// The names of a convolution, its batch norm and its activation, if it has one.
    struct UnitNames {
        var conv: String
        var norm: String
        var activation: String?
    }

    /// A square convolution without bias that keeps the extents but for its stride, batch norm, then `activation`
    /// where it has a name.
    mutating func unit(
        _ names: UnitNames, _ input: String, channels: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
        hasBias: Bool = false, activation: any GraphOperation = ReLU()
    ) throws -> String {
        let geometry = ConvolutionGeometry(stride: stride, padding: kernel / 2, groups: groups)
        var value = try convolution(
            names.conv, input, channels: channels, kernel: [kernel, kernel], geometry: geometry, hasBias: hasBias)
        value = try batchNorm(names.norm, value)
        guard let name = names.activation else { return value }
        return try apply(name, activation, value)
    }
}
