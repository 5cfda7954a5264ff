import Basics
import CommandTesting
import Testing

/// Several processes at one file of a sweep.
@Suite struct SharedSweepTests {
    /// Whatever process finishes a point, the file keeps it.
    @Test func processesShareAFileOfASweep() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let script = """
            local points = {}
            for i = 1, 20 do points[i] = { keep = i + 1000 * tonumber(arg[2]) } end
            points[21] = { keep = 1 }
            for point in require "moonrail".sweep { arg[1], points = points } do point:record { x = point.keep } end
            """
        let (path, file) = (directory + "/sweep.lua", directory + "/sweep.json")
        try AtomicFile.write(path, text: script)
        let children = try (1...3).map { number in
            try BuiltCommand.spawn(
                ["run", "--quiet", path, file, String(number)], environment: [:], isSessionLeader: false
            ) { _ in }
        }
        for child in children { #expect(try BuiltCommand.wait(for: child, patienceSeconds: 120) == 0) }
        let text = String(decoding: try AtomicFile.read(file), as: UTF8.self)
        // "axes" has the word once more, without a colon.
        #expect(text.split(separator: "\"keep\":").count - 1 == 61)
    }
}
