import Decomposition
import Formats
import Tensors
import Testing

/// TensorLy's `tensor_train` on the same inputs at the same ranks; Fixtures/make_tensor_trains.py made the values.
private struct GoldenTrains {
    let file: SafetensorsFile
    let ranks: [String: [Int]]

    init() throws {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        file = try SafetensorsFile(path: here.dropLast(2).joined(separator: "/") + "/Fixtures/tensor_trains.safetensors")
        let cases = try JSONValue.parse(text: #require(file.metadata["cases"])).object
        ranks = try Dictionary(
            uniqueKeysWithValues: #require(cases).members.map { name, value in
                (name, try #require(value["ranks"]?.array).map { try #require($0.integer) })
            })
    }

    func tensor(_ name: String) throws -> Tensor { try #require(file[name], "the fixture has no \(name)") }
}

@MainActor @Suite struct GoldenTrainTests {
    /// TensorLy worked in double precision here: the difference is our float32 factorisations' alone.
    private let agreement = 1e-5

    @Test(arguments: ["matrix", "third_order", "convolution", "fourth_order", "fifth_order", "rank_one"])
    func agreesWithTensorLy(_ name: String) throws {
        let golden = try GoldenTrains()
        let x = try golden.tensor("\(name)/x")
        let ranks = try #require(golden.ranks[name])
        let result = try TensorTrain.decompose(x, ranks: ranks)
        #expect(result.train.ranks == ranks)
        #expect(try relativeDistance(result.train.reconstructed(), golden.tensor("\(name)/reconstruction")) < agreement)
        let error = try golden.tensor("\(name)/error").scalar()
        #expect(abs(result.relativeError - error) < agreement)

        // Rounding the full train takes another road to the same place.
        let full = try TensorTrain.decompose(x, ranks: TensorTrain.maxRanks(modes: x.shape.dims))
        let rounded = try full.train.rounded(ranks: ranks).train
        #expect(try relativeDistance(rounded.reconstructed(), golden.tensor("\(name)/reconstruction")) < agreement)
        for bond in ranks.indices {
            let expected = try golden.tensor("\(name)/spectrum\(bond)").array(of: Float.self)
            #expect(full.bondSpectra[bond].values.count == expected.count)
            for (value, reference) in zip(full.bondSpectra[bond].values, expected) {
                #expect(abs(value - reference) < Float(agreement) * expected[0])
            }
        }
    }

    /// The layer form is compared by its error: with both bonds cut it fits slightly better than TT-SVD.
    @Test func layersAreAsCloseAsTensorLysTrain() throws {
        let golden = try GoldenTrains()
        let x = try golden.tensor("convolution/x")
        let weight = try x.reshaped([16, 3, 3, 24]).permuted([3, 0, 1, 2])
        let layer = try LayerDecomposition(convolution: weight, grouping: .tensorTrain)
        let train = try layer.trains(ranks: #require(golden.ranks["convolution"]))[0]
        #expect(try relativeDistance(train.reconstructed(), x) <= golden.tensor("convolution/error").scalar() + agreement)
    }
}
