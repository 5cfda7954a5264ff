import Basics
import CommandTesting
import Testing

/// What there is no room for leaves an error that says why, and nothing else, whichever kind of file it is.
@Suite(.serialized) struct ShortageTests {
    /// A limit of the size of files, which acts as a full disk does and needs no disk.
    @Test func aSaveWithoutRoomLeavesNothing() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try AtomicFile.makeDirectory(directory + "/out")
        defer { removeDirectory(directory + "/out") }
        try AtomicFile.write(directory + "/save.lua", text: Self.script)
        let outcome = try BuiltCommand.run(
            ["-c", "ulimit -f 20; exec '\(BuiltCommand.path())' run --quiet '\(directory)/save.lua' '\(directory)/out'"],
            program: "/bin/bash", patienceSeconds: 60)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 10)
        for line in lines { #expect(line.contains("cannot write") && line.hasSuffix(": File too large"), "\(line)") }
        #expect(DirectoryListing.entries(of: directory + "/out").isEmpty)
    }

    private static let script = """
        local mr = require "moonrail"
        local x = mr.ones(200, 200)
        local m = mr.zoo.mlp { image = { 1, 20, 20 }, classes = 2, hidden = { 100 }, seed = 1 }
        local rows = mr.rows { { name = ("x"):rep(100000), value = 1 } }
        local report = mr.report { title = ("t"):rep(100000), models = { { name = "a", params = 9, accuracy = 0.5 } } }
        for name, save in pairs {
            txt = function(path) mr.write_text(path, ("x"):rep(1 << 20)) end, npy = function(path) mr.write_npy(path, x) end,
            npz = function(path) mr.write_npz(path, { a = x }) end, html = function(path) report:html(path) end,
            safetensors = function(path) m:save(path) end, onnx = function(path) m:save(path) end, py = function(path) m:save(path) end,
            json = function(path) rows:save(path) end, csv = function(path) rows:save(path) end,
            sweep = function(path)
                for point in mr.sweep { path, keep = { 1 } } do point:record { text = ("x"):rep(100000) } end
            end,
        } do
            local ok, failure = pcall(save, arg[1] .. "/file." .. name)
            print(ok and name .. " was saved" or failure.message)
        end
        """
}
