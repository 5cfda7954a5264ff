import Decomposition
import Formats
import Tensors
import Testing

/// TensorLy's and torchTT's trains of the same inputs; Fixtures/make_tensor_trains.py made the values.
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
            let expected = try golden.tensor("\(name)/spectrum\(bond)").array(of: Float.self).map(Double.init)
            #expect(full.bondSpectra[bond].values.count == expected.count)
            for (value, reference) in zip(full.bondSpectra[bond].values, expected) {
                #expect(abs(value - reference) < agreement * expected[0])
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

    /// torchTT cuts δ = ε‖W‖/√(d−1) at each bond, as Oseledets does, and what a bond leaves of that is lost; we spend it.
    @Test(arguments: ["matrix", "third_order", "convolution", "fourth_order", "fifth_order", "rank_one"], [0.3, 0.05])
    func noMoreParametersThanTorchTTs(_ name: String, _ epsilon: Double) throws {
        let golden = try GoldenTrains()
        let x = try golden.tensor("\(name)/x")
        let result = try TensorTrain.decompose(x, relativeError: epsilon)
        let expected = try golden.tensor("epsilon/\(name)/\(epsilon)/ranks").array(of: Int64.self).map(Int.init)
        let theirs = try TensorTrain.decompose(x, ranks: expected)
        #expect(result.train.parameterCount <= theirs.train.parameterCount && result.relativeError <= epsilon)
        if expected.count < 2 { #expect(result.train.ranks == expected) }
    }

    @Test func arithmeticIsTorchTTs() throws {
        let golden = try GoldenTrains()
        func train(_ letter: String) throws -> TensorTrain {
            try TensorTrain(cores: (0..<4).map { try golden.tensor("arithmetic/\(letter)\($0)") })
        }
        let (a, b) = (try train("a"), try train("b"))
        #expect(try relativeDistance(a.adding(b).reconstructed(), golden.tensor("arithmetic/sum")) < agreement)
        #expect(try relativeDistance(a.multiplyingElements(by: b).reconstructed(), golden.tensor("arithmetic/product")) < agreement)
        let norms = try golden.tensor("arithmetic/norms").array(of: Float.self).map(Double.init)
        for (train, norm) in zip([a, b], norms) { #expect(abs(try train.norm() / norm - 1) < agreement) }
        let dot = try golden.tensor("arithmetic/dot").scalar()
        #expect(abs(try a.innerProduct(b) - dot) < agreement * norms[0] * norms[1])
        let rounded = try a.adding(a.scaled(by: 2)).rounded(relativeError: 1e-5).train
        #expect(rounded.ranks == [3, 4, 2])
        #expect(try relativeDistance(rounded.reconstructed(), golden.tensor("arithmetic/rounded")) < agreement)
    }

    @Test func matricesAreTorchTTs() throws {
        let golden = try GoldenTrains()
        let factors = try JSONValue.parse(text: #require(golden.file.metadata["operator"]))
        func integers(_ key: String) throws -> [Int] { try #require(factors[key]?.array).map { try #require($0.integer) } }
        let (rows, columns) = (try integers("rows"), try integers("columns"))
        let tensor = try TensorTrainMatrix.tensorized(golden.tensor("operator/weight"), outputFactors: rows, inputFactors: columns)
        let train = try TensorTrain.decompose(tensor, relativeError: 0.2).train
        let expected = try golden.tensor("operator/ranks").array(of: Int64.self).map(Int.init)
        #expect(try train.parameterCount <= TensorTrain.decompose(tensor, ranks: expected).train.parameterCount)
        let matrix = try TensorTrainMatrix(train: train, outputFactors: rows, inputFactors: columns)
        #expect(try relativeDistance(matrix.reconstructed(), golden.tensor("operator/full")) < agreement)
        let y = try matrix.applied(to: golden.tensor("operator/x").reshaped([1, -1]), order: .factorized)
        #expect(try relativeDistance(y.reshaped([-1]), golden.tensor("operator/y")) < agreement)
    }
}
