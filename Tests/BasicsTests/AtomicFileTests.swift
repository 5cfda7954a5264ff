import FoundationEssentials
import Testing

import Basics

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct AtomicFileTests {
    private struct Broken: Error {}

    /// Runs `body` with a directory that is removed afterwards.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = "/tmp/moonrail-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try AtomicFile.makeDirectory(path)
        try body(path)
    }

    private func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? any Failure)?.code
        }
    }

    @Test(arguments: ["", "text é\n", String(repeating: "0123456789", count: 50_000)])
    func whatIsWrittenIsRead(_ text: String) throws {
        try withDirectory { directory in
            try AtomicFile.write(directory + "/file", text: text)
            #expect(try AtomicFile.read(directory + "/file") == Array(text.utf8))
        }
    }

    @Test func failedWriteLeavesTheOldFileAlone() throws {
        try withDirectory { directory in
            let path = directory + "/file"
            try AtomicFile.write(path, text: "old")
            #expect(throws: Broken.self) {
                try AtomicFile.write(path) { append in
                    try [UInt8]("new".utf8).withUnsafeBytes { try append($0) }
                    throw Broken()
                }
            }
            #expect(try AtomicFile.read(path) == Array("old".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["file"])
        }
    }

    @Test func successfulWriteReplacesTheOldFile() throws {
        try withDirectory { directory in
            try AtomicFile.write(directory + "/file", text: "a longer old text")
            try AtomicFile.write(directory + "/file", text: "new")
            #expect(try AtomicFile.read(directory + "/file") == Array("new".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["file"])
        }
    }

    @Test func whatIsNoFileIsRefused() throws {
        try withDirectory { directory in
            #expect(code { _ = try AtomicFile.read(directory + "/absent") } == "file.cannotRead")
            #expect(code { _ = try AtomicFile.read(directory) } == "file.cannotRead")
            #expect(code { try AtomicFile.write(directory, text: "x") } == "file.cannotWrite")
            #expect(code { try AtomicFile.write(directory + "/no/file", text: "x") } == "file.cannotWrite")
            // A pipe without a writer must not make the reader wait.
            mkfifo(directory + "/pipe", 0o600)
            #expect(code { _ = try AtomicFile.read(directory + "/pipe") } == "file.cannotRead")
        }
    }

    @Test func limitIsKept() throws {
        try withDirectory { directory in
            try AtomicFile.write(directory + "/file", text: "12345")
            #expect(try AtomicFile.read(directory + "/file", limit: 5).count == 5)
            #expect(code { _ = try AtomicFile.read(directory + "/file", limit: 4) } == "file.tooLarge")
        }
    }

    @Test func directoriesAreMadeWhereTheyAreMissing() throws {
        try withDirectory { directory in
            try AtomicFile.makeDirectory(directory + "/a/b//c/")
            try AtomicFile.makeDirectory(directory + "/a/b/c")
            try AtomicFile.write(directory + "/a/b/c/file", text: "x")
            #expect(code { try AtomicFile.makeDirectory(directory + "/a/b/c/file") } == "file.cannotWrite")
            #expect(code { try AtomicFile.makeDirectory(directory + "/a/b/c/file/d") } == "file.cannotWrite")
        }
    }
}
