import Operations
import Tensors

/// The other way round: which architecture of the zoo a graph is of.
public enum KnownArchitectures {
    /// The architecture whose layers are called like those of `graph`; of several, that with the fewest layers. `nil` for a
    /// network of somebody's own, a compressed one, or one from elsewhere.
    public static func architecture(of graph: Graph) -> (any Architecture)? {
        let layers = Set(graph.nodes.filter { !($0.operation is Dropout) && !$0.parameterInputs.isEmpty }.map(\.name))
        guard !layers.isEmpty, graph.nodes.allSatisfy({ $0.origin == nil }), let image = graph.inputs.first?.sampleShape else {
            return nil
        }
        return candidates(image, layerCount: layers.count)
            .map { ($0, Set($0.stateDictModules().keys)) }
            .filter { layers.isSubset(of: $0.1) }
            .min { $0.1.count < $1.1.count }?.0
    }

    private static func candidates(_ image: Shape, layerCount: Int) -> [any Architecture] {
        var list: [any Architecture] = [LeNet5(imageShape: image, classCount: 2), MobileNetV2(imageShape: image, classCount: 2)]
        list.append(
            MultilayerPerceptron(imageShape: image, classCount: 2, hidden: [Int](repeating: 1, count: min(64, layerCount - 1))))
        // Each block of a ResNet of CIFAR's kind has four layers, and there are as many blocks in each of three stages.
        if (layerCount - 3) % 12 == 0, layerCount > 3 {
            list.append(CIFARResNet(depth: (layerCount - 3) / 2 + 2, imageShape: image, classCount: 2))
        }
        // Each block of a transformer has six nodes with parameters; four more stand around the blocks.
        if (layerCount - 4) % 6 == 0, layerCount > 4 {
            list.append(VisionTransformer(imageShape: image, classCount: 2, depth: (layerCount - 4) / 6))
        }
        list += [18, 34, 50, 101, 152].map { ResNet(depth: $0, imageShape: image, classCount: 2) }
        for form in [VGG.Form.cifar, .imagenet] {
            list += [11, 13, 16, 19].map { VGG(depth: $0, imageShape: image, classCount: 2, form: form) }
        }
        return list
    }
}
