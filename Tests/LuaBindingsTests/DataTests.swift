import Testing

/// Arrays and data sets in scripts.
@Suite(.serialized) struct DataScriptTests {
    private static let fixtures =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fixtures/"

    @Test func arraysGoThroughNumPysFiles() throws {
        let name = "/tmp/moonrail-arrays-\(UInt64.random(in: 0 ... .max))"
        try run(
            """
            local x, n = mr.randn(3, 4), mr.tensor({ 1, 2, 3 }, { dtype = "int64" })
            mr.write_npy("\(name).npy", x)
            assert((mr.read_npy "\(name).npy" - x):norm() == 0)
            mr.write_npz("\(name).npz", { x = x, n = n }, { compress = true })
            local back = mr.read_npz "\(name).npz"
            assert((back.x - x):norm() == 0 and back.n[2] == 2 and back.n.dtype == "int64")
            mr.write_safetensors("\(name).st", { x = x, n = n }, { metadata = { note = "seven" } })
            local tensors, metadata = mr.read_safetensors "\(name).st"
            assert((tensors.x - x):norm() == 0 and tensors.n.dtype == "int64" and metadata.note == "seven")
            assert(mr.exists "\(name).st" and mr.read_text("\(name).st"):find "seven")
            os.remove "\(name).st"
            assert(not mr.exists "\(name).st")
            local picture = mr.read_picture "\(Self.fixtures)picture.png"
            local labels = mr.read_idx "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"
            assert(#labels == 10000 and labels.dtype == "uint8" and labels:max() == 9)
            assert(picture.dtype == "uint8" and picture.rank == 3 and picture.shape[1] == 3)
            os.remove "\(name).npy"
            os.remove "\(name).npz"
            """)
    }

    @Test func npzFilesAreDataSets() throws {
        let name = "/tmp/moonrail-data-\(UInt64.random(in: 0 ... .max)).npz"
        try run(
            """
            local y = mr.tensor({ 0, 1, 1, 2 }, { dtype = "int64" })
            mr.write_npz("\(name)", { x = mr.rand(4, 6, 6, 3), y = y })
            local data = mr.data.npz("\(name)", { images = "x", labels = "y", layout = "nhwc", batch = 4, split = "test" })
            local alone = mr.data.npz("\(name)", { images = "x", labels = false, layout = "nhwc" })
            assert(#alone == 4 and #alone.classes == 1 and alone.classes[1] == "unlabelled")
            assert(#data == 4 and data.image_shape[1] == 3 and data.labels[4] == 3 and data.split == "test")
            local batch = data:epoch()()
            near(batch.x:mean():item(), 0, 1e-4)
            local small = data:resize(3, 2):with { mean = { 0, 0, 0 }, std = { 1, 1, 2 } }
            assert(small.image_shape[2] == 3 and small.image_shape[3] == 2 and small.std[3] == 2)
            assert(#data:statistics().mean == 3)
            os.remove "\(name)"
            """)
    }

    @Test func foldersOfPicturesAreDataSets() throws {
        let directory = "/tmp/moonrail-folder-\(UInt64.random(in: 0 ... .max))"
        try run(
            """
            for _, class in ipairs { "a", "b" } do
                mr.make_directory("\(directory)/" .. class)
                local from, to = assert(io.open("\(Self.fixtures)picture.png", "rb")), assert(io.open("\(directory)/" .. class .. "/1.png", "wb"))
                to:write(from:read "a")
                to:close()
            end
            local data = mr.data.folder { dir = "\(directory)", size = { 8, 8 }, batch = 2, fit = "stretch" }
            assert(#data == 2 and data.classes[2] == "b" and data.image_shape[1] == 3)
            near(data:epoch()().x:mean():item(), 0, 1e-4)
            local test = mr.data.folder { dir = "\(directory)", size = { 8, 8 }, split = "test", mean = data.mean, std = data.std, classes = data.classes }
            near(test.std[1], data.std[1])
            for _, class in ipairs { "a", "b" } do
                os.remove("\(directory)/" .. class .. "/1.png")
                os.remove("\(directory)/" .. class)
            end
            os.remove "\(directory)"
            """)
    }

    /// What a folder passes over is said where warnings go, and damaged pictures are left out where that is asked for.
    @Test func whatAFolderPassesOverIsSaid() throws {
        let directory = "/tmp/moonrail-folder-\(UInt64.random(in: 0 ... .max))"
        let said = try warnings(
            of: """
                mr.make_directory "\(directory)/a"
                local bytes = mr.read_text "\(Self.fixtures)picture.png"
                for name, text in pairs { ["1.png"] = bytes, ["2.png"] = bytes:sub(1, 100), ["3.webp"] = "" } do
                    mr.write_text("\(directory)/a/" .. name, text)
                end
                local options = { dir = "\(directory)", size = { 8, 8 } }
                assert(not pcall(mr.data.folder, options))
                options.skip_damaged = true
                assert(#mr.data.folder(options) == 1)
                """)
        #expect(said.count == 2 && said[0].contains("passed over 1 file that is neither PNG nor JPEG (1 .webp)"), "\(said)")
        #expect(said.last?.contains("left out 1 damaged picture, the first: \(directory)/a/2.png") == true, "\(said)")
    }

    static let errors: [(String, String)] = [
        ("mr.read_npy '/nowhere.npy'", "cannot read /nowhere.npy"),
        ("mr.read_npy '\(fixtures)picture.png'", "picture.png: not an npy array"),
        ("mr.write_npz('/nowhere.npz', { mr.zeros(1) })", "must be tensors by name, { weight = … }, but got an array"),
        ("mr.read_safetensors '\(fixtures)picture.png'", "picture.png"),
        ("mr.write_safetensors('/nowhere', { x = mr.zeros(1) }, { metadata = { n = true } })", "must be texts by name, but 'n' is none"),
        ("mr.write_safetensors('/nowhere', { x = 3 })", "must be tensors by name, but 'x' is none"),
        ("mr.write_npz('/nowhere.npz', { [0.5] = mr.zeros(1) })", "must have names, got the key 0.5"),
        ("mr.write_safetensors('/nowhere', { x = mr.zeros(1) }, { metadata = { 'a' } })", "option 'metadata' must have names, got the key 1"),
        ("mr.events('/tmp/moonrail-events-keys'):scalars({ 3 }, 1)", "must have names, got the key 1"),
        ("mr.read_picture '\(fixtures)arrays.npz'", "a PNG or JPEG picture"),
        ("mr.read_idx '\(fixtures)picture.png'", "picture.png"),
        ("mr.read_npz '\(fixtures)picture.png'", "picture.png: not a zip archive"),
        ("mr.write_npz('/tmp/x.npz', { a = 3 })", "'a' is none"),
        ("mr.data.npz '\(fixtures)arrays.npz'", "there is no array 'images', but 'a', 'b', 'c', 'f', 's'"),
        ("mr.data.npz('\(fixtures)arrays.npz', { layout = 'nchv' })", "did you mean 'nchw'"),
        ("mr.data.cifar10 {}", "mr.data.cifar10: option 'dir'"),
        ("mr.data.cifar10 { dir = '/nowhere' }", "data_batch_1.bin; unpack the binary version"),
        ("mr.data.cifar100 { dir = '/nowhere', labels = 'corse' }", "did you mean 'coarse'"),
        ("mr.data.mnist { dir = '/nowhere' }", "/nowhere/train-images-idx3-ubyte"),
        ("mr.data.folder { dir = '/nowhere' }", "option 'size' must be { height, width }"),
        ("mr.data.folder { dir = '/nowhere', size = { 8, 8 } }", "there is no /nowhere"),
        ("tiny():resize(0, 3)", "cannot be brought to 0×3"),
        ("tiny():with { std = { 0 } }", "a deviation of [0.0] is not positive"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
