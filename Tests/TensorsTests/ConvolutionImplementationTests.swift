import COneDNN
import Tensors
import Testing

/// A kernel whose name begins with `ref` is oneDNN's unoptimised fallback, tens of times slower.
@MainActor @Suite struct ConvolutionImplementationTests {
    private struct Layer {
        let inputs: Int
        let outputs: Int
        let size: Int
        let geometry: ConvolutionGeometry
        var kernel = [3, 3]
    }

    /// The convolutions of a CIFAR ResNet: three stages of 16, 32 and 64 channels.
    private static let residualNet: [Layer] = [
        Layer(inputs: 3, outputs: 16, size: 32, geometry: .init(stride: 1, padding: 1)),
        Layer(inputs: 16, outputs: 16, size: 32, geometry: .init(stride: 1, padding: 1)),
        Layer(inputs: 16, outputs: 32, size: 32, geometry: .init(stride: 2, padding: 1)),
        Layer(inputs: 32, outputs: 32, size: 16, geometry: .init(stride: 1, padding: 1)),
        Layer(inputs: 32, outputs: 64, size: 16, geometry: .init(stride: 2, padding: 1)),
        Layer(inputs: 64, outputs: 64, size: 8, geometry: .init(stride: 1, padding: 1)),
    ]

    /// Of VGG, ResNets and MobileNet for larger images, grouped and dilated ones, and a chain of a wide layer.
    private static let otherNets: [Layer] = [
        Layer(inputs: 64, outputs: 64, size: 32, geometry: .init(stride: 1, padding: 1)),
        Layer(inputs: 512, outputs: 512, size: 2, geometry: .init(stride: 1, padding: 1)),
        Layer(inputs: 1, outputs: 6, size: 28, geometry: .init(stride: 1, padding: 2), kernel: [5, 5]),
        Layer(inputs: 3, outputs: 64, size: 224, geometry: .init(stride: 2, padding: 3), kernel: [7, 7]),
        Layer(inputs: 256, outputs: 512, size: 56, geometry: .init(stride: 2, padding: 0), kernel: [1, 1]),
        Layer(inputs: 96, outputs: 96, size: 112, geometry: .init(stride: 2, padding: 1, groups: 96)),
        Layer(inputs: 144, outputs: 144, size: 56, geometry: .init(stride: 1, padding: 1, groups: 144)),
        Layer(inputs: 32, outputs: 64, size: 28, geometry: .init(stride: 1, padding: 1, groups: 2)),
        Layer(inputs: 128, outputs: 128, size: 28, geometry: .init(stride: 1, padding: 1, groups: 32)),
        Layer(inputs: 15, outputs: 21, size: 9, geometry: .init(stride: 1, padding: 1, groups: 3)),
        Layer(inputs: 32, outputs: 32, size: 28, geometry: .init(padding: [2, 2, 2, 2], dilation: [2, 2])),
        Layer(inputs: 256, outputs: 32, size: 14, geometry: .init(), kernel: [1, 1]),
        Layer(inputs: 32, outputs: 32, size: 14, geometry: .init(stride: 1, padding: 1)),
        Layer(inputs: 32, outputs: 256, size: 14, geometry: .init(), kernel: [1, 1]),
    ]

    /// What the layers become as chains, at ranks that are no multiples of the channel block.
    private static func chains(of layer: Layer) -> [Layer] {
        [3, 7, 16, 21].flatMap { rank -> [Layer] in
            let g = layer.geometry
            let after = layer.size / g.stride[0]
            let (rowStride, columnStride) = ([g.stride[0], 1], [1, g.stride[1]])
            return [
                Layer(inputs: layer.inputs, outputs: rank, size: layer.size, geometry: .init(), kernel: [1, 1]),
                Layer(inputs: rank, outputs: rank + 2, size: layer.size, geometry: g),
                Layer(inputs: rank + 2, outputs: layer.outputs, size: after, geometry: .init(), kernel: [1, 1]),
                Layer(inputs: layer.inputs, outputs: rank, size: layer.size, geometry: .init(stride: rowStride, padding: [1, 0, 1, 0]), kernel: [3, 1]),
                Layer(inputs: rank, outputs: layer.outputs, size: after, geometry: .init(stride: columnStride, padding: [0, 1, 0, 1]), kernel: [1, 3]),
                Layer(inputs: layer.inputs, outputs: rank, size: layer.size, geometry: g),
            ]
        }
    }

    private nonisolated static let nets = ["CIFAR ResNet", "its chains", "others"]

    @Test(arguments: [1, 2, 128], nets) func noReferenceKernels(_ batch: Int, _ net: String) throws {
        let layers =
            switch net {
            case "others": Self.otherNets
            case "its chains": Self.residualNet.flatMap(Self.chains)
            default: Self.residualNet
            }
        let passes = [
            ("inference", cod_forward_inference), ("training", cod_forward_training), ("data", cod_backward_data),
            ("weights", cod_backward_weights),
        ]
        for layer in layers {
            for (name, pass) in passes {
                let weight = Shape([layer.outputs, layer.inputs / layer.geometry.groups] + layer.kernel)
                let primitive = try Convolution.primitive(
                    pass, input: [batch, layer.inputs, layer.size, layer.size], weight: weight, geometry: layer.geometry,
                    hasBias: false)
                #expect(!primitive.implementation.hasPrefix("ref"), "\(name) of \(weight) at batch \(batch): \(primitive.implementation)")
            }
        }
    }
}
