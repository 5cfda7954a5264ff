import FoundationEssentials
import Testing

import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// What may be reached where only some files are allowed, by both ways to open beneath a folder: the kernel's, and the one
/// for kernels without it.
@Suite struct FileRootsTests {
    /// `allowed` with a file and links, `allowed-not` and `outside`; gone with everything in it afterwards.
    private final class Place {
        let path = "/tmp/moonrail-roots-\(UUID().uuidString)"
        var inside: String { path + "/allowed" }

        init() throws {
            for folder in ["allowed/folder", "allowed-not", "outside"] { try AtomicFile.makeDirectory("\(path)/\(folder)") }
            for file in ["allowed/folder/file", "allowed-not/file", "outside/file"] {
                try AtomicFile.write("\(path)/\(file)", text: String(file.split(separator: "/")[0]))
            }
            for (target, name) in [
                ("../outside", "out"), ("../outside/file", "file-out"), ("../outside/none", "none-out"), ("folder", "in"),
                (path + "/allowed/folder", "in-absolute"), ("folder/../../allowed/folder", "in-again"), ("/proc/self/root", "magic"),
            ] { symlink(target, "\(inside)/\(name)") }
            symlink("allowed", path + "/link")
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func text(_ name: String) -> String? {
            (try? AtomicFile.read(path + "/" + name)).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test(arguments: [false, true])
    func onlyWhatLiesBeneathIsRead(walks: Bool) throws {
        let place = try Place()
        FileRoots([place.inside], walks: walks).confine {
            for name in [
                "allowed/folder/file", "allowed//folder/./file", "allowed/in/file", "allowed/in-absolute/file", "link/folder/file",
                "allowed/in-again/file", "allowed/../allowed/folder/file", "outside/../allowed/folder/file",
            ] { #expect(place.text(name) == "allowed", "\(name)") }
            for name in [
                "allowed-not/file", "outside/file", "allowed/../outside/file", "allowed/out/file", "allowed/file-out",
                "allowed/./in/../../outside/file", "link/out/file", "allowed/magic/etc/passwd",
            ] {
                #expect(place.text(name) == nil, "\(name)")
                #expect(!AtomicFile.exists(place.path + "/" + name), "\(name)")
                #expect(!FileRoots.allows(place.path + "/" + name), "\(name)")
            }
            #expect(DirectoryListing.entries(of: place.inside + "/out").isEmpty)
            #expect(DirectoryListing.entries(of: place.path).isEmpty)
            let entries = DirectoryListing.entries(of: place.inside)
            #expect(Set(entries.filter(\.isDirectory).map(\.name)) == ["folder", "in", "in-absolute", "in-again"])
        }
        #expect(place.text("outside/file") == "outside")
    }

    /// Whether something is there outside does not show: both are refused alike.
    @Test func refusalsDoNotTellWhatIsThere() throws {
        let place = try Place()
        func reason(_ name: String) -> String? {
            do {
                _ = try AtomicFile.read(place.path + "/" + name)
                return nil
            } catch {
                return "\(error)".replacing(name, with: "")
            }
        }
        FileRoots([place.inside]).confine {
            for (there, missing) in [
                ("outside/file", "outside/none"), ("allowed/out/file", "allowed/out/none"), ("allowed/../outside/file", "allowed/../none/file"),
            ] {
                #expect(reason(there) == reason(missing))
                #expect(reason(there)?.contains("it does not lie in \(place.inside)") == true)
            }
            #expect(place.text("outside/../allowed/folder/file") == place.text("none/../allowed/folder/file"))
        }
    }

    @Test(arguments: [false, true])
    func onlyWhatLiesBeneathIsWritten(walks: Bool) throws {
        let place = try Place()
        try FileRoots([place.inside], walks: walks).confine {
            for name in ["allowed/new", "allowed/folder/file", "allowed/in/new", "allowed/in-absolute/other"] {
                try AtomicFile.write(place.path + "/" + name, text: "written")
                #expect(place.text(name) == "written", "\(name)")
            }
            try AtomicFile.update(place.inside + "/count") { bytes in bytes == nil ? "1" : "2" }
            try AtomicFile.update(place.inside + "/count") { bytes in bytes == nil ? "1" : "2" }
            #expect(place.text("allowed/count") == "2")
            try AtomicFile.makeDirectory(place.inside + "/made/deep")
            try AtomicFile.write(place.inside + "/made/deep/file", text: "x")
            for name in [
                "new", "allowed-not/new", "allowed/../outside/new", "allowed/out/new", "allowed/file-out", "allowed/none-out",
                "outside/file", "allowed/magic/tmp/new",
            ] {
                let path = place.path + "/" + name
                #expect(throws: FileFailure.self, "\(name)") { try AtomicFile.write(path, text: "stolen") }
                #expect(throws: FileFailure.self, "\(name)") { try AtomicFile.update(path) { _ in "stolen" } }
                #expect(throws: FileFailure.self, "\(name)") { _ = try Descriptor.ofNewFile(path) }
                #expect(throws: FileFailure.self, "\(name)") { try AtomicFile.makeDirectory(path + "/folder") }
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path + "/outside") == ["file"])
        #expect(place.text("outside/file") == "outside")
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: place.path)) == ["allowed", "allowed-not", "outside", "link"])
    }

    /// A link that leads to another file beneath is one too: nothing is written through any.
    @Test func nothingIsWrittenThroughALink() throws {
        let place = try Place()
        symlink("folder/file", place.inside + "/alias")
        FileRoots([place.inside]).confine {
            #expect(place.text("allowed/alias") == "allowed")
            let failure = #expect(throws: FileFailure.self) { try AtomicFile.write(place.inside + "/alias", text: "x") }
            #expect(failure?.description.contains("it is a link") == true)
        }
        #expect(place.text("allowed/folder/file") == "allowed")
    }

    @Test(arguments: [false, true])
    func anAllowedFileAllowsNothingBeside(walks: Bool) throws {
        let place = try Place()
        let file = place.inside + "/folder/file"
        try FileRoots([file, place.inside + "/later", place.inside + "/file-out"], walks: walks).confine {
            try AtomicFile.write(file, text: "changed")
            #expect(place.text("allowed/folder/file") == "changed")
            #expect(place.text("allowed/in/file") == "changed")
            #expect(throws: FileFailure.self) { try AtomicFile.write(file + ".other", text: "x") }
            #expect(throws: FileFailure.self) { try AtomicFile.write(place.inside + "/folder/new", text: "x") }
            // What is allowed may be made, also as a folder.
            try AtomicFile.makeDirectory(place.inside + "/later")
            try AtomicFile.write(place.inside + "/later/file", text: "x")
            #expect(place.text("allowed/later/file") == "x")
            // The host allowed what the link led to.
            #expect(place.text("outside/file") == "outside")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.inside + "/folder") == ["file"])
        // What lies under the name later may be a link, which is not followed.
        try FileManager.default.removeItem(atPath: file)
        let roots = FileRoots([file], walks: walks)
        symlink("../../outside/file", file)
        roots.confine { #expect(place.text("allowed/folder/file") == nil) }
    }

    /// é as one character or as two is one `String`, but two names.
    @Test func namesAreComparedByteByByte() throws {
        let place = try Place()
        let (composed, decomposed) = (place.path + "/caf\u{E9}", place.path + "/cafe\u{301}")
        #expect(composed == decomposed)
        for folder in [composed, decomposed] { try AtomicFile.makeDirectory(folder) }
        try AtomicFile.write(decomposed + "/file", text: "secret")
        try AtomicFile.write(place.inside + "/\u{301}mark", text: "inside")
        FileRoots([composed, place.inside]).confine {
            #expect(throws: FileFailure.self) { try AtomicFile.read(decomposed + "/file") }
            #expect(throws: FileFailure.self) { try AtomicFile.write(decomposed + "/new", text: "x") }
            #expect(throws: Never.self) { try AtomicFile.write(composed + "/new", text: "x") }
            #expect(place.text("allowed/\u{301}mark") == "inside")
        }
    }

    /// A thread exchanges a folder and a link to the outside as fast as it can.
    @Test(arguments: [false, true])
    func aLinkThatIsExchangedLeadsNowhere(walks: Bool) throws {
        let place = try Place()
        try AtomicFile.makeDirectory(place.inside + "/a")
        try AtomicFile.write(place.inside + "/a/file", text: "allowed")
        symlink("../outside", place.inside + "/b")
        let inside = place.inside
        let swapper = Thread {
            rename(inside + "/a", inside + "/c")
            rename(inside + "/b", inside + "/a")
            rename(inside + "/a", inside + "/b")
            rename(inside + "/c", inside + "/a")
        }
        var reads = 0
        FileRoots([inside], walks: walks).confine {
            for count in 0..<3000 {
                if let text = place.text("allowed/a/file") {
                    #expect(text == "allowed")
                    reads += 1
                }
                if count % 10 == 0 { try? AtomicFile.write(inside + "/a/new", text: "x") }
            }
        }
        swapper.stop()
        #expect(reads > 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path + "/outside") == ["file"])
    }

    @Test func aFileThatAnotherNamesLiesBeneathItsFolder() throws {
        let place = try Place()
        #expect(try OpenFile("file", beneath: place.inside + "/folder").byteCount == 7)
        #expect(try OpenFile("in/file", beneath: place.inside).identity == OpenFile(place.inside + "/folder/file").identity)
        for name in ["../outside/file", "out/file", "file-out", "/etc/passwd"] {
            let failure = #expect(throws: FileFailure.self) { _ = try OpenFile(name, beneath: place.inside) }
            #expect(failure?.description.contains("leads out of the folder") == true, "\(name)")
        }
        FileRoots([place.inside + "/folder/file"]).confine {
            #expect(throws: Never.self) { _ = try OpenFile("file", beneath: place.inside + "/folder") }
        }
        FileRoots([]).confine {
            #expect(throws: FileFailure.self) { _ = try OpenFile("file", beneath: place.inside + "/folder") }
        }
    }

    @Test func theRootsEndWithTheCall() throws {
        let place = try Place()
        FileRoots([]).confine {
            #expect(FileRoots.current != nil && place.text("allowed/folder/file") == nil)
            // The machine is still known.
            #expect(MachineMemory.availableByteCount() > 0)
        }
        #expect(FileRoots.current == nil && place.text("allowed/folder/file") == "allowed")
    }
}

/// A thread that does the same again and again until it is told to stop.
private final class Thread: @unchecked Sendable {
    private let body: @Sendable () -> Void
    private let isStopped = Guarded(false)
    private var thread = pthread_t()

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Thread>.fromOpaque(argument).takeUnretainedValue().work()
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func work() { while !isStopped.withLock({ $0 }) { body() } }

    func stop() {
        isStopped.withLock { $0 = true }
        pthread_join(thread, nil)
    }
}
