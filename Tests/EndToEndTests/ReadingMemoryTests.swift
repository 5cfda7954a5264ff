import Basics
import CommandTesting
import Testing

/// What reading a file takes: the tensors that come out, and little more.
@Suite(.serialized) struct ReadingMemoryTests {
    /// Bytes of the file that is read; large against everything else that differs between two runs.
    private static let byteCount = 96 << 20

    /// The largest resident memory of a process that runs `script`.
    private func peak(_ script: String, in directory: String) throws -> Int {
        let path = directory + "/read.lua"
        let tail = "\nfor line in io.lines '/proc/self/status' do local kib = line:match '^VmHWM:%s+(%d+)' if kib then print(kib) end end"
        try AtomicFile.write(path, text: "local mr = require 'moonrail'\n" + script + tail)
        let outcome = try BuiltCommand.run(["run", "--quiet", path], patienceSeconds: 120)
        return try #require(Int(outcome.output.split(separator: "\n").last ?? ""), "\(outcome)") << 10
    }

    /// - Parameters:
    ///   - write: makes the file `FILE` of `N` floats.
    ///   - read: reads it.
    @Test(arguments: [
        ("mr.write_npy(FILE, mr.zeros(N))", "x = mr.read_npy(FILE)"),
        ("mr.write_npz(FILE, { a = mr.zeros(N // 2), b = mr.zeros(N // 2) })", "x = mr.read_npz(FILE)"),
        ("mr.write_safetensors(FILE, { a = mr.zeros(N // 2), b = mr.zeros(N // 2) })", "x = mr.read_safetensors(FILE)"),
        ("MODEL:save(FILE .. '.safetensors')", "x = mr.load(FILE .. '.safetensors')"),
        ("MODEL:save(FILE .. '.onnx')", "x = mr.load(FILE .. '.onnx')"),
    ])
    func readingTakesLittleMoreThanTheFile(_ write: String, _ read: String) throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let model = "mr.zoo.mlp { image = { 1, 1, N // 4096 }, classes = 2, hidden = { 4096 } }"
        func script(_ text: String, count: Int) -> String {
            text.replacing("MODEL", with: model).replacing("N", with: "\(count)").replacing("FILE", with: "'\(directory)/file'")
        }
        _ = try peak(script(write, count: Self.byteCount / 4), in: directory)
        let large = try peak(script("local " + read, count: 0), in: directory)
        _ = try peak(script(write, count: 1 << 13), in: directory)
        let small = try peak(script("local " + read, count: 0), in: directory)
        #expect(Double(large - small) <= 1.3 * Double(Self.byteCount), "\(large >> 20) and \(small >> 20) MiB")
    }

    /// Writing an archive takes nothing beside the tensor, which the other process has too.
    @Test func writingAnArchiveTakesNoCopies() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let make = "local x = mr.zeros(\(Self.byteCount / 4))\n"
        for options in ["{}", "{ compress = true }"] {
            let writing = try peak(make + "mr.write_npz('\(directory)/file.npz', { x = x }, \(options))", in: directory)
            let making = try peak(make, in: directory)
            #expect(writing - making <= Self.byteCount / 10, "\(writing >> 20) and \(making >> 20) MiB")
        }
    }
}
