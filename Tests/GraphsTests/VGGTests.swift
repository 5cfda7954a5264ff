import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct VGGTests {
    /// As PyTorch counts: convolutions without bias, batch norms, one linear layer.
    @Test func parametersOfTheCIFARForm() throws {
        for (depth, expected) in [(11, 9_228_362), (13, 9_413_066), (16, 14_724_042), (19, 20_035_018)] {
            let graph = try VGG(depth: depth).build(seed: 1)
            #expect(graph.parameters.trainableElementCount == expected, "vgg\(depth)")
        }
    }

    /// torchvision's counts of `vggD_bn`. Two of them: each holds over half a gigabyte.
    @Test(arguments: [(11, 132_868_840), (16, 138_365_992)]) func parametersOfTheImageNetForm(depth: Int, expected: Int) throws {
        let graph = try VGG(depth: depth, imageShape: [3, 224, 224], classCount: 1000, form: .imagenet).build(seed: 1)
        #expect(graph.parameters.trainableElementCount == expected)
        #expect(graph.nodes.filter { $0.operation is Dropout }.count == 2)
    }

    @Test(arguments: [.min, 0, 8, 12, 20, .max]) func depthsThatAreNone(depth: Int) {
        let failure = #expect(throws: GraphFailure.self) { try VGG(depth: depth).build(seed: 1) }
        #expect(failure?.code == "graph.invalidArchitecture" && failure?.description.contains("\(depth)") == true)
    }

    @Test func largerImagesHaveALargerClassifier() throws {
        let graph = try VGG(depth: 11, imageShape: [1, 64, 64], classCount: 4).build(seed: 1)
        #expect(try #require(graph.parameters["fc.weight"]).tensor.shape == [4, 2048])
    }
}
