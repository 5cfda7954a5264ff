import Testing

/// `mr.tt` in scripts.
@Suite(.serialized) struct TensorTrainScriptTests {
    /// A tensor of ranks 3 and 2 with modes 4, 5, 6.
    private static let start = """
        mr.seed(2)
        local first, second = mr.randn(1, 4, 3), mr.randn(3, 5, 2)
        local train = mr.tt.from_cores { first, second, mr.randn(2, 6, 1) }
        local tensor = train:reconstruct()

        """

    static let specs: [(String, String)] = [
        (
            "decomposing finds the ranks again",
            """
            local found = mr.tt.decompose(tensor, { error = 1e-4 })
            assert(found.ranks[1] == 3 and found.ranks[2] == 2 and found.error < 1e-4 and #found.routes == 2)
            near((found:reconstruct() - tensor):norm() / tensor:norm(), found.error, 1e-5)
            assert(#found == 3 and found.modes[3] == 6 and found.params == 4 * 3 + 3 * 5 * 2 + 2 * 6)
            near(found.ratio, 120 / found.params)
            assert(tostring(found):find("TensorTrain 4 –(3)– 5 –(2)– 6, 54 parameters, error", 1, true), tostring(found))
            """
        ),
        (
            "ranks, one for all bonds, and clamps",
            """
            local low = mr.tt.decompose(tensor, { ranks = 2 })
            assert(low.ranks[1] == 2 and low.ranks[2] == 2 and #low.clamps == 0)
            local high = mr.tt.decompose(tensor, { ranks = { 9, 2 } })
            assert(high.clamps[1].bond == 1 and high.clamps[1].requested == 9 and high.clamps[1].bound == 4)
            assert(high.max_ranks[1] == 4 and high.max_ranks[2] == 6)
            assert(tostring(high):find "; bond 1: rank 9 lowered to its bound 4")
            local chain = mr.tt.convolution(mr.randn(8, 4, 3, 3), { ranks = { 9, 3 }, groups = 2 })
            assert(#chain == 3 and chain.ranks[1] == 4 and chain.ranks[2] == 3)
            assert(#chain.clamps == 1 and chain.clamps[1].bond == 1 and chain.clamps[1].requested == 9 and chain.clamps[1].bound == 4)
            """
        ),
        (
            "what memory cannot hold",
            """
            local cores = {}
            for k = 1, 82 do cores[k] = mr.ones(1, 2, 1) end
            local good, text = pcall(mr.tt.from_cores(cores).reconstruct, mr.tt.from_cores(cores))
            assert(not good and tostring(text):find "more than 2⁶³ elements does not fit into memory", tostring(text))
            local wide = mr.tt.from_cores { mr.ones(1, 2, 3000), mr.ones(3000, 2, 1) }
            good, text = pcall(function() return (wide * wide) * (wide * wide) end)
            assert(not good and tostring(text):find "multiplying trains: the result of", tostring(text))
            good, text = pcall(mr.tt.factors, 64, 40)
            assert(not good and tostring(text):find "the count between 1 and 32, but got 64 and 40", tostring(text))
            """
        ),
        (
            "a share of the parameters",
            """
            local half = mr.tt.decompose(tensor, { keep = 0.25 })
            assert(half.params <= 30 and half.params >= 15)
            assert(train:round({ keep = 0.5 }).params <= 27 and train.error == nil)
            """
        ),
        (
            "trains of functions",
            """
            local calls = 0
            local found, report = mr.tt.cross(function(i)
                calls = calls + i.shape[1]
                return 1 / (i:to "float32":sum(2) - 2)
            end, { modes = { 8, 9, 10 }, error = 1e-4, seed = 3 })
            near(found:at(2, 3, 4), 1 / 7, 1e-4)
            near(found:at(8, 9, 10), 1 / 25, 1e-4)
            assert(report.error <= 1e-4 and report.evaluations == calls and calls < 20 * 720 and found.modes[3] == 10)
            local function refused(f, options, expected)
                local ok, message = pcall(mr.tt.cross, f, options)
                assert(not ok and tostring(message):find(expected, 1, true), tostring(message))
            end
            refused(function(i) return 3 end, { modes = { 2, 3 } }, "must give a float32 Tensor of")
            refused(function(i) return i:to "float32":sum(2):slice(1, 1, 1) end, { modes = { 2, 3 } }, "elements were asked for, but 1 were given")
            refused(function(i) error "stop here" end, { modes = { 2, 3 } }, "stop here")
            refused(function(i) return i:to "float32":sum(2) / 0 end, { modes = { 2, 3 } }, "not finite")
            refused(function(i) return i:to "float32":sum(2) end, {}, "option 'modes' must be given")
            refused(function(i) return i:to "float32":sum(2) end, { modes = { 2, 0 } }, "at least 1 each")
            refused(function(i) return i:to "float32":sum(2) end, { modes = { 2, 3 }, error = 2 }, "below 1, but got 2")
            """
        ),
        (
            "indices are whole numbers beyond float32's",
            """
            local last, before
            mr.tt.cross(function(i)
                assert(i.dtype == "int64")
                last, before = i[i.shape[1]][1], i[i.shape[1] - 1][1]
                return i:to "float32":reshape(-1)
            end, { modes = { 16777218 } })
            assert(last == 16777218 and before == 16777217, last .. " " .. before)
            """
        ),
        (
            "scales beyond float32",
            """
            local x = mr.ones(4, 5, 6) * 1e38
            local t = mr.tt.decompose(x, { ranks = 1 })
            near(t:norm() / (1e38 * math.sqrt(120)), 1, 1e-5)
            near(t:dot(t) / 120e76, 1, 1e-5)
            near((t * 0.5 + t * 0.5):round({ ranks = 1 }):reconstruct():max() / 1e38, 1, 1e-5)
            near(t:spectra()[1][1] / (1e38 * math.sqrt(120)), 1, 1e-5)
            local _, values = x:reshape(20, 6):svd()
            near(values:max() / (1e38 * math.sqrt(120)), 1, 1e-5)
            assert(#values == 6 and values:min() == values[6] and values[1] == values:max())
            local _, ordinary = mr.ones(4, 5):svd()
            near(ordinary:max(), math.sqrt(20), 1e-5)
            assert(ordinary.dtype == "float32")
            """
        ),
        (
            "arithmetic",
            """
            local sum = (train + 2 * train - train / 2):round { error = 1e-4 }
            assert(sum.ranks[1] == 3)
            near((sum:reconstruct() - tensor * 2.5):norm() / tensor:norm(), 0, 1e-4)
            near(((-train * train):reconstruct() + tensor * tensor):norm(), 0, 1e-4)
            near(train:dot(train), tensor:norm() ^ 2, 1e-3)
            near(train:norm(), tensor:norm(), 1e-4)
            near(train:at(2, 3, 4), tensor[2][3][4], 1e-5)
            """
        ),
        (
            "orthogonal cores",
            """
            local right = train:orthogonalize()
            near(right.cores[1]:norm(), tensor:norm(), 1e-4)
            local core = right.cores[3]:reshape(2, 6)
            near((core:matmul(core:t()) - mr.eye(2)):norm(), 0, 1e-5)
            near((train:orthogonalize(3):reconstruct() - tensor):norm(), 0, 1e-4)
            """
        ),
        (
            "balanced cores",
            """
            local even = train:orthogonalize():balance()
            near((even:reconstruct() - tensor):norm(), 0, 1e-4)
            near(even.cores[1]:norm() / even.cores[2]:norm(), 1, 0.2)
            """
        ),
        (
            "spectra and curves are data",
            """
            local spectra, curve = train:spectra(), train:curve()
            assert(#spectra == 2 and #spectra[1] == 3 and spectra[1][1] >= spectra[1][2])
            assert(#curve == 5 and curve[1].bond == 1 and curve[1].rank == 1 and curve[5].error < 1e-6)
            near(curve[1].singular_value, spectra[1][1])
            local cut = mr.tt.decompose(tensor, { ranks = { 1, 6 } })
            near(cut.error, curve[1].error, 1e-5)
            assert(tostring(curve):find "singular value" and curve:csv():find "bond")
            """
        ),
        (
            "matrices",
            """
            local weight = mr.randn(12, 20)
            local matrix = mr.tt.matrix(weight, { error = 0, order = 2 })
            assert(matrix.rows[1] == 3 and matrix.rows[2] == 4 and matrix.columns[1] == 5 and matrix.columns[2] == 4)
            near((matrix:reconstruct() - weight):norm(), 0, 1e-4)
            local x = mr.randn(3, 20)
            for _, order in ipairs { "auto", "factorized", "reconstructed" } do
                near((matrix:apply(x, { order = order }) - x:matmul(weight:t())):norm(), 0, 1e-3)
            end
            local low = mr.tt.matrix(mr.randn(64, 64), { ranks = 1, rows = { 8, 8 }, columns = { 8, 8 } })
            assert(low:order(1) == "factorized" and low:order(100000) == "factorized" and low.params == 128 and low.train.error > 0)
            assert(mr.tt.factors(360, 3)[1] == 5 and mr.tt.factors(7, 2)[1] == 1)
            """
        ),
        (
            "convolutions",
            """
            local chain = mr.tt.convolution(mr.randn(8, 6, 3, 3), { ranks = { 2, 3 }, stride = 2, padding = 1 })
            assert(#chain == 3 and chain[2].weight.shape[1] == 3 and chain[2].stride[1] == 2 and chain[1].stride[1] == 1)
            local grouped = mr.tt.convolution(mr.randn(8, 3, 3, 3), { ranks = 2, groups = 2, grouping = "C·Kh|Kw·O" })
            assert(#grouped == 2 and grouped[1].groups == 2 and grouped[1].weight.shape[1] == 4 and grouped[2].weight.shape[2] == 2)
            """
        ),
        (
            "convolutions over factors of the channels",
            """
            local weight = mr.randn(6, 4, 3, 3)
            local layer = mr.tt.tensorized_convolution(weight, { error = 0, padding = 1 })
            assert(#layer.inputs == 2 and layer.outputs[2] == 3 and #layer.ranks == 4 and layer.train.modes[3] == 9)
            near((layer:reconstruct() - weight):norm(), 0, 1e-4)
            local y = layer:apply(mr.randn(2, 4, 5, 7))
            assert(y.shape[1] == 2 and y.shape[2] == 6 and y.shape[3] == 5 and y.shape[4] == 7)
            local low = mr.tt.tensorized_convolution(weight, { ranks = 1, inputs = { 4 }, outputs = { 2, 3 }, padding = { 1, 1, 1, 1 } })
            assert(low.params == 4 + 9 + 2 + 3 and low:macs(5, 7) == (4 + 9 + 2 + 2 * 3) * 35 and low.error > 0)
            """
        ),
    ]

    @Test(arguments: specs) func spec(_ name: String, _ script: String) throws { try run(Self.start + script) }

    static let errors: [(String, String)] = [
        ("mr.tt.decompose(tensor, { eror = 0.1 })", "mr.tt.decompose: unknown option 'eror' (did you mean 'error'?)"),
        ("mr.tt.decompose(tensor, {})", "option 'ranks' must be given, or error or keep in its place"),
        ("mr.tt.decompose(tensor, { error = 0.1, keep = 0.5 })", "one of them and no more"),
        ("mr.tt.decompose(tensor, { ranks = 2, max_rank = 3 })", "option 'max_rank' goes with error only"),
        ("mr.tt.decompose(tensor, { ranks = { 2 , 3, 4 } })", "needs 2 rank(s), one per bond, but got [2, 3, 4]"),
        ("mr.tt.decompose(tensor, { error = 1 })", "must be at least 0 and below 1, but got 1.0"),
        ("mr.tt.decompose(tensor, { keep = 0.01 })", "at least 0.125, which ranks of 1 take, but got 0.01"),
        ("mr.tt.decompose(3, { ranks = 1 })", "argument 1 (tensor) must be a Tensor, got a number"),
        ("mr.tt.from_cores { mr.zeros(1, 2, 2), mr.zeros(3, 2, 1) }", "cores 1 and 2 disagree on their rank"),
        ("return train + mr.tt.decompose(mr.ones(4, 5), { ranks = 1 })", "needs equal modes, but got [4, 5, 6] and [4, 5]"),
        ("train:at(1, 2)", "must be 3 numbers from 1 up to the modes [4, 5, 6], got [1, 2]"),
        ("train:at(1, 2, 7)", "got [1, 2, 7]"),
        ("train:orthogonalize(4)", "must be in 1…3, got 4"),
        ("return train * (1 / 0)", "needs a finite factor, but got inf"),
        (
            "mr.tt.matrix(mr.ones(6, 6), { ranks = 1, rows = { 2, 2 }, columns = { 2, 3 } })",
            "factors of the rows must be positive and multiply to 6, but got [2, 2]"
        ),
        ("mr.tt.matrix(tensor, { ranks = 1 })", "must be a matrix [O, I], got [4, 5, 6]"),
        ("mr.tt.matrix(mr.ones(6, 6), { ranks = 1 }):apply(mr.ones(2, 5))", "needs an input [N, 6], but got [2, 5]"),
        ("mr.tt.factors(0, 2)", "but got 0 and 2"),
        (
            "mr.tt.tensorized_convolution(mr.ones(6, 4, 3, 3), { ranks = 1, inputs = { 3 } })",
            "factors of the input channels must be positive and multiply to 4, but got [3]"
        ),
        (
            "mr.tt.convolution(mr.ones(6, 4, 3, 3), { ranks = 1, stride = { 1, 2, 3 } })",
            "option 'stride' must be one whole number or two (rows, columns) of at least 1, got [1, 2, 3]"
        ),
        ("mr.tt.convolution(mr.ones(6, 4, 3, 3), { ranks = 1, stride = -1 })", "of at least 1, got [-1]"),
        ("mr.tt.tensorized_convolution(mr.ones(6, 4, 3, 3), { ranks = 1, dilation = { 1, -2 } })", "of at least 1, got [1, -2]"),
        ("mr.tt.convolution(mr.ones(6, 4, 3, 3), { ranks = 1, padding = -1 })", "option 'padding' must be"),
        ("mr.tt.convolution(mr.ones(8, 3, 3, 3), { ranks = 1, groups = 3 })", "8 output channels do not divide into 3 groups"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: Self.start + script)
        #expect(got.contains(expected), "\(got)")
    }
}
