import Basics
import CommandTesting
import Formats
import Glibc
import Testing

/// Histories in TensorBoard's form, read back by TensorBoard's own reader.
@Suite(.serialized) struct EventTests {
    private static let script = """
        local mr = require "moonrail"
        mr.seed(1)
        local images = mr.rand(8, 1, 8, 8)
        local data = mr.data.from_tensors(images, mr.tensor({ 1, 2, 1, 2, 1, 2, 1, 2 }, { dtype = "int64" }), { batch = 4 })
        local model = mr.zoo.resnet { depth = 8, image = { 1, 8, 8 }, classes = 2 }
        local history = model:fit(data, { epochs = 2, validate = data, log = arg[1] .. "/train" })
        for point in mr.sweep { keep = { 0.5, 0.25 }, policy = { "uniform" }, log = arg[1] .. "/sweep" } do
            point:record { params = 1000 * point.keep, note = "text" }
        end
        print(history[2].step, history[2].loss)
        """

    @Test(.enabled(if: Peer.tensorBoard.isInstalled, "\(Peer.tensorBoard.absence)")) func tensorBoardReadsWhatWasWritten() throws {
        Peer.tensorBoard.began()
        let directory = try temporaryDirectory()
        defer { removeTree(directory) }
        try AtomicFile.write(directory + "/log.lua", text: Self.script)
        let outcome = try BuiltCommand.run(["run", "--quiet", directory + "/log.lua", directory])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let check = try BuiltCommand.run(
            [Repository.root + "/Tests/Fixtures/check_events.py", directory], program: Peer.python, patienceSeconds: 120)
        try #require(check.status == 0, "\(check.errors)")
        let found = try JSONValue.parse(Array(check.output.utf8))
        let train = try #require(found["train"]?["scalars"])
        #expect(train["step/loss"]?.array?.count == 4 && train["step/lr"]?.array?.count == 4)
        let loss = try #require(train["epoch/loss"]?.array)
        let printed = outcome.output.split { $0 == "\t" || $0 == "\n" }.compactMap { Double($0) }
        #expect(loss.count == 2 && loss[1].array?.first?.integer == Int(printed[0]))
        #expect(abs((loss[1].array?.last?.number ?? 0) - printed[1]) < 1e-6)
        #expect(train["epoch/validation"]?.array?.count == 2 && train["epoch/parameters"] == nil)
        let run = try #require(found["sweep/keep=0.25,policy=uniform"])
        #expect(run["settings"]?["keep"]?.number == 0.25 && run["settings"]?["policy"]?.string == "uniform")
        #expect(run["scalars"]?["params"]?.array?.first?.array?.last?.number == 250 && run["succeeded"]?.bool == true)
    }

    /// What TensorBoard does not read again here: that the files are there and hold their tags.
    @Test func filesAreWhereTheLogIs() throws {
        let directory = try temporaryDirectory()
        defer { removeTree(directory) }
        try AtomicFile.write(directory + "/log.lua", text: Self.script)
        try #require(try BuiltCommand.run(["run", "--quiet", directory + "/log.lua", directory]).status == 0)
        for (folder, tags) in [("train", ["step/loss", "epoch/validation"]), ("sweep/keep=0.5,policy=uniform", ["params", "_hparams_/session_start_info"])] {
            let entries = DirectoryListing.entries(of: directory + "/" + folder + "/").map(\.name)
            let file = try #require(entries.first { $0.hasPrefix("events.out.tfevents.") })
            let text = String(decoding: try AtomicFile.read("\(directory)/\(folder)/\(file)"), as: UTF8.self)
            for tag in tags { #expect(text.contains(tag), "\(folder) has no \(tag)") }
        }
    }
}

/// Removes a directory with all that is in it.
func removeTree(_ path: String) {
    _ = try? BuiltCommand.run(["-rf", path], program: "/bin/rm")
}
