import FoundationEssentials
import Testing

import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// What a path leads to decides how it is written: a file is replaced, a pipe or device is written into.
@Suite struct WritingTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = "/tmp/moonrail-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try AtomicFile.makeDirectory(path)
        try body(path)
    }

    private func failure(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\((error as? any Failure)?.code ?? "no failure"): \(error)"
        }
    }

    private func text(_ path: String) throws -> String { String(decoding: try AtomicFile.read(path), as: UTF8.self) }

    private func information(_ path: String) -> stat {
        var info = stat()
        lstat(path, &info)
        return info
    }

    private func names(_ directory: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }

    // MARK: Rights

    @Test(arguments: [0o600, 0o640, 0o644, 0o755, 0o444] as [mode_t]) func modeIsKept(_ mode: mode_t) throws {
        try withDirectory { directory in
            try AtomicFile.write(directory + "/file", text: "old")
            chmod(directory + "/file", mode)
            try AtomicFile.write(directory + "/file", text: "new")
            #expect(information(directory + "/file").st_mode & 0o7777 == mode)
            #expect(try text(directory + "/file") == "new")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives files away")) func ownerAndGroupAreKept() throws {
        try withDirectory { directory in
            try AtomicFile.write(directory + "/file", text: "old")
            chown(directory + "/file", 12_345, 23_456)
            chmod(directory + "/file", 0o660)
            try AtomicFile.write(directory + "/file", text: "new")
            let info = information(directory + "/file")
            #expect(info.st_uid == 12_345 && info.st_gid == 23_456 && info.st_mode & 0o7777 == 0o660)
        }
    }

    @Test func newFilesFollowTheMask() throws {
        try withDirectory { directory in
            // As the system makes any other new file.
            close(creat(directory + "/other", 0o666))
            try AtomicFile.write(directory + "/file", text: "new")
            #expect(information(directory + "/file").st_mode == information(directory + "/other").st_mode)
        }
    }

    // MARK: Links

    @Test func linksAreFollowed() throws {
        try withDirectory { directory in
            try AtomicFile.makeDirectory(directory + "/inside")
            try AtomicFile.write(directory + "/inside/target", text: "old")
            symlink("inside/target", directory + "/link")
            symlink(directory + "/link", directory + "/second")
            try AtomicFile.write(directory + "/second", text: "new")
            #expect(information(directory + "/link").st_mode & S_IFMT == S_IFLNK)
            #expect(information(directory + "/second").st_mode & S_IFMT == S_IFLNK)
            #expect(information(directory + "/inside/target").st_mode & S_IFMT == S_IFREG)
            #expect(try text(directory + "/inside/target") == "new")
            #expect(try names(directory + "/inside") == ["target"])
        }
    }

    @Test func aLinkToNothingGetsItsFile() throws {
        try withDirectory { directory in
            symlink("later", directory + "/link")
            try AtomicFile.write(directory + "/link", text: "new")
            #expect(try names(directory) == ["later", "link"] && text(directory + "/later") == "new")
            symlink("no/such/place", directory + "/lost")
            #expect(failure { try AtomicFile.write(directory + "/lost", text: "x") }?.hasPrefix("file.cannotWrite") == true)
        }
    }

    @Test func loopsAreRefused() throws {
        try withDirectory { directory in
            symlink("b", directory + "/a")
            symlink("a", directory + "/b")
            let message = try #require(failure { try AtomicFile.write(directory + "/a", text: "x") })
            #expect(message.hasPrefix("file.cannotWrite") && message.contains("symbolic links"))
            #expect(try names(directory) == ["a", "b"])
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root makes links of another user")) func plantedLinksAreRefused() throws {
        try withDirectory { directory in
            try AtomicFile.makeDirectory(directory + "/shared")
            chmod(directory + "/shared", 0o1777)
            try AtomicFile.write(directory + "/mine", text: "old")
            symlink(directory + "/mine", directory + "/shared/link")
            lchown(directory + "/shared/link", 12_345, 12_345)
            let message = try #require(failure { try AtomicFile.write(directory + "/shared/link", text: "x") })
            #expect(message.contains("another user"))
            #expect(try text(directory + "/mine") == "old")
        }
    }

    /// The other name keeps the old bytes, as the documentation says.
    @Test func hardLinksPart() throws {
        try withDirectory { directory in
            try AtomicFile.write(directory + "/file", text: "old")
            link(directory + "/file", directory + "/other")
            try AtomicFile.write(directory + "/file", text: "new")
            #expect(try text(directory + "/file") == "new" && text(directory + "/other") == "old")
        }
    }

    // MARK: What is no file

    @Test func pipesStayPipes() throws {
        try withDirectory { directory in
            let path = directory + "/pipe"
            mkfifo(path, 0o600)
            let reader = open(path, O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            try AtomicFile.write(path, text: "text")
            var buffer = [UInt8](repeating: 0, count: 16)
            let count = read(reader, &buffer, buffer.count)
            #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "text")
            #expect(information(path).st_mode & S_IFMT == S_IFIFO)
            #expect(try names(directory) == ["pipe"])
        }
    }

    @Test func aPipeWithoutAReaderIsAnErrorAndNoSignal() throws {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        close(ends[0])
        defer { close(ends[1]) }
        let message = try #require(failure { try AtomicFile.write("/dev/fd/\(ends[1])", text: "x") })
        #expect(message.hasPrefix("file.cannotWrite") && message.contains("pipe"))
    }

    @Test func devicesAreWrittenInto() throws {
        try AtomicFile.write("/dev/null", text: "text")
        #expect(information("/dev/null").st_mode & S_IFMT == S_IFCHR)
        let message = try #require(failure { try AtomicFile.write("/dev/full", text: "text") })
        #expect(message.contains("No space left") && information("/dev/full").st_mode & S_IFMT == S_IFCHR)
    }

    /// Through its number an open file goes on where it was, as behind `>` of a shell.
    @Test func descriptorsGoOn() throws {
        try withDirectory { directory in
            let file = open(directory + "/file", O_WRONLY | O_CREAT, 0o600)
            write(file, "first ", 6)
            try AtomicFile.write("/dev/fd/\(file)", text: "second")
            write(file, " third", 6)
            close(file)
            #expect(try text(directory + "/file") == "first second third")
            #expect(try names(directory) == ["file"])
        }
    }

    // MARK: Names

    @Test func pathsThatAreNone() throws {
        try withDirectory { directory in
            try AtomicFile.write(directory + "/file", text: "x")
            let long = directory + "/" + [String](repeating: "a", count: 2048).joined(separator: "/")
            for (path, code) in [
                (directory + "/a\0b", "file.invalidPath"), (long, "file.invalidPath"), ("", "file.invalidPath"),
                (directory, "file.cannotWrite"), (directory + "/", "file.cannotWrite"), (directory + "/.", "file.cannotWrite"),
                (directory + "/new/", "file.cannotWrite"), (directory + "/file/x", "file.cannotWrite"),
                (directory + "/" + String(repeating: "n", count: 256), "file.cannotWrite"),
            ] {
                let message = failure { try AtomicFile.write(path, text: "x") }
                #expect(message?.hasPrefix(code + ":") == true, "\(path.count) bytes: \(message ?? "written")")
            }
            #expect(failure { try AtomicFile.write(directory, text: "x") }?.contains("Is a directory") == true)
            #expect(failure { _ = try AtomicFile.read(directory) }?.contains("Is a directory") == true)
            #expect(failure { _ = try AtomicFile.read(directory + "/file\0x") }?.contains("NUL") == true)
            #expect(failure { _ = try AtomicFile.size(directory + "/file\0x") }?.contains("NUL") == true)
            #expect(failure { try AtomicFile.makeDirectory(directory + "/d\0x") }?.contains("NUL") == true)
            #expect(!AtomicFile.exists(directory + "/file\0x") && DirectoryListing.entries(of: directory + "\0x").isEmpty)
            #expect(try names(directory) == ["file"])
        }
    }

    @Test(arguments: [250, 255]) func longNames(_ count: Int) throws {
        try withDirectory { directory in
            let name = String(repeating: "n", count: count)
            for content in ["first", "second"] {
                try AtomicFile.write(directory + "/" + name, text: content)
                #expect(try names(directory) == [name] && text(directory + "/" + name) == content)
            }
        }
    }

    /// What a dead process left is removed; what a living one is writing, and what only looks alike, stays.
    @Test func leftoversAreRemoved() throws {
        try withDirectory { directory in
            let dead = directory + "/.file.0123456789abcdef.partial"
            let alive = directory + "/.file.00000000000000ff.partial"
            let others = [".file.partial", ".other.0123456789abcdef.partial", ".file.0123456789abcdeg.partial"]
            for path in [dead, alive] + others.map({ directory + "/" + $0 }) { close(creat(path, 0o600)) }
            symlink("precious", directory + "/.file.1111111111111111.partial")
            try AtomicFile.write(directory + "/precious", text: "kept")
            let lock = open(alive, O_RDONLY)
            defer { close(lock) }
            #expect(flock(lock, LOCK_EX) == 0)
            try AtomicFile.write(directory + "/file", text: "new")
            let left = Set(try names(directory))
            #expect(!left.contains(".file.0123456789abcdef.partial"))
            #expect(left.isSuperset(of: others + [".file.00000000000000ff.partial", "precious", "file", ".file.1111111111111111.partial"]))
            #expect(try text(directory + "/precious") == "kept")
        }
    }

    /// Over the limit of a file's size the system raises a signal that ends the process unless it is kept away.
    @Test func theLimitOfAFilesSizeIsAnError() throws {
        try withDirectory { directory in
            try AtomicFile.write(directory + "/file", text: "old")
            var before = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
            var low = rlimit(rlim_cur: 1 << 24, rlim_max: before.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &low)
            defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before) }
            let message = failure { try AtomicFile.write(directory + "/file", text: String(repeating: "x", count: 1 << 25)) }
            #expect(message?.contains("File too large") == true)
            #expect(try text(directory + "/file") == "old" && names(directory) == ["file"])
        }
    }

    // MARK: Several at once

    /// Of threads that make one directory each may come too late for some part of it.
    @Test func directoriesMadeByManyAtOnce() async throws {
        let root = "/tmp/moonrail-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for i in 0..<50 { try AtomicFile.makeDirectory("\(root)/\(i)/a/b/c") } }
            }
            try await group.waitForAll()
        }
        #expect(try names(root).count == 50)
    }

    @Test func updatesOfManyLoseNothing() async throws {
        let path = "/tmp/moonrail-test-\(UUID().uuidString)"
        defer { unlink(path) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for i in 0..<25 {
                        try AtomicFile.update(path) { old in String(decoding: old ?? [], as: UTF8.self) + "\(writer)/\(i)\n" }
                    }
                }
            }
            try await group.waitForAll()
        }
        let lines = try text(path).split(separator: "\n")
        #expect(lines.count == 100 && Set(lines).count == 100)
    }

    @Test func aFailedUpdateChangesNothing() throws {
        struct Broken: Error {}
        try withDirectory { directory in
            #expect(throws: Broken.self) { try AtomicFile.update(directory + "/file") { _ in throw Broken() } }
            #expect(!AtomicFile.exists(directory + "/file"))
            try AtomicFile.update(directory + "/file") { old in old == nil ? "first" : "wrong" }
            #expect(throws: Broken.self) { try AtomicFile.update(directory + "/file") { _ in throw Broken() } }
            #expect(try text(directory + "/file") == "first")
            mkfifo(directory + "/pipe", 0o600)
            #expect(failure { try AtomicFile.update(directory + "/pipe") { _ in "x" } }?.contains("not a regular file") == true)
        }
    }
}
