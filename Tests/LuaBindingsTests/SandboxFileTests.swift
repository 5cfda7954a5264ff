import Basics
import FoundationEssentials
import Glibc
import LuaBindings
import LuaRuntime
import Testing

/// Files that the toolkit opens on behalf of a script in a sandbox without the script naming each of them.
@Suite(.serialized) struct SandboxFileTests {
    /// `allowed` and `outside`, gone with everything in them afterwards.
    private final class Place {
        let path = "/tmp/moonrail-sandbox-\(UUID().uuidString)"

        init() throws {
            for folder in ["allowed", "outside"] { try AtomicFile.makeDirectory("\(path)/\(folder)") }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func names(_ folder: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: path + "/" + folder).sorted()
        }
    }

    /// Runs a script that has the toolkit as `mr` and the allowed folder as `d`.
    private func confined(_ place: Place, allowed: [String]? = nil, _ script: String) throws -> [LuaValue] {
        let state = try LuaState(
            LuaOptions(isSandboxed: true, allowedPaths: (allowed ?? ["allowed"]).map { place.path + "/" + $0 }))
        defer { state.close() }
        try Toolkit.install(in: state)
        return try state.run("local mr, d = require 'moonrail', '\(place.path)/allowed' " + script, name: "host.lua")
    }

    @Test func filesOfDataSetsAreNotFollowedOut() throws {
        let place = try Place()
        func header(_ numbers: [UInt8]) -> [UInt8] { numbers.flatMap { [0, 0, 0, $0] } }
        for split in ["train", "t10k"] {
            let (images, labels) = ("\(split)-images-idx3-ubyte", "\(split)-labels-idx1-ubyte")
            try AtomicFile.write("\(place.path)/outside/\(images)", bytes: [0, 0, 8, 3] + header([2, 2, 2]) + [UInt8](repeating: 7, count: 8))
            try AtomicFile.write("\(place.path)/outside/\(labels)", bytes: [0, 0, 8, 1] + header([2]) + [0, 1])
            for name in [images, labels] { symlink("../outside/\(name)", "\(place.path)/allowed/\(name)") }
        }
        #expect(throws: LuaFailure.self) { try confined(place, "mr.data.mnist { dir = d }") }
        #expect(throws: Never.self) { try confined(place, allowed: ["allowed", "outside"], "mr.data.mnist { dir = d }") }
    }

    @Test func picturesAndClassesAreNotFollowedOut() throws {
        let place = try Place()
        let picture = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/") + "/Fixtures/picture.png"
        let bytes = try AtomicFile.read(picture)
        for name in ["outside/cats", "allowed/folder/dogs"] { try AtomicFile.makeDirectory(place.path + "/" + name) }
        for name in ["outside/1.png", "outside/cats/1.png", "allowed/folder/dogs/1.png"] {
            try AtomicFile.write(place.path + "/" + name, bytes: bytes)
        }
        symlink("../../outside/cats", place.path + "/allowed/folder/cats")
        func classes(_ more: String) throws -> Int? {
            try confined(place, "return #mr.data.folder { dir = d .. '/folder', size = { 2, 2 }, \(more) }.classes")[0].integer
        }
        // A class that lies outside is none.
        #expect(try classes("") == 1)
        #expect(throws: LuaFailure.self) { try classes("classes = { 'cats' }") }
        for name in ["../../outside", "..", ".", "", "dogs/../dogs"] {
            let failure = #expect(throws: LuaFailure.self) { try classes("classes = { '\(name)' }") }
            #expect(failure?.code == "dataset.invalidOption", "\(name)")
        }
        symlink("../../../outside/1.png", place.path + "/allowed/folder/dogs/2.png")
        let failure = #expect(throws: LuaFailure.self) { try classes("") }
        #expect(failure?.code == "file.cannotRead")
    }

    /// The weights of a module for PyTorch lie beside it, events in a file whose name the toolkit chooses.
    @Test func filesBesideTheNamedOneAreCheckedToo() throws {
        let place = try Place()
        try AtomicFile.write(place.path + "/allowed/net.py", text: "print(1)")
        let save = "mr.zoo.mlp { image = { 1, 2, 2 }, classes = 2, hidden = { 2 }, seed = 1 }:save(d .. '/net.py')"
        #expect(throws: LuaFailure.self) { try confined(place, allowed: ["allowed/net.py"], save) }
        #expect(try place.names("allowed") == ["net.py"])
        _ = try confined(place, save + " mr.events(d .. '/log'):close()")
        #expect(try place.names("allowed") == ["log", "net.py", "net.weights.safetensors"])
        #expect(try place.names("allowed/log").count == 1)
        symlink("../outside", place.path + "/allowed/out")
        #expect(throws: LuaFailure.self) { try confined(place, "mr.events(d .. '/out')") }
        #expect(try place.names("outside").isEmpty)
    }

    /// Times of layers are kept in the user's cache, and Fashion-MNIST comes from the system, where a script may reach them.
    @Test func theToolkitsOwnFilesAreLeftAlone() throws {
        let place = try Place()
        let before = getenv("XDG_CACHE_HOME").map { String(cString: $0) }
        setenv("XDG_CACHE_HOME", place.path + "/cache", 1)
        defer { if let before { setenv("XDG_CACHE_HOME", before, 1) } else { unsetenv("XDG_CACHE_HOME") } }
        let plan = """
            local m = mr.nn.sequential { image = { 4, 8, 8 }, mr.nn.conv { channels = 8, kernel = 3, name = "a" },
                mr.nn.conv { channels = 8, kernel = 3, name = "b" } }
            mr.plan(m, { budget = { latency = 1 }, policy = "uniform" })
            """
        _ = try confined(place, plan)
        #expect(try place.names("") == ["allowed", "outside"])
        _ = try confined(place, allowed: ["cache"], plan)
        #expect(try place.names("cache/moonrail").count == 1)
        let failure = #expect(throws: LuaFailure.self) { try confined(place, "mr.data.fashion_mnist()") }
        #expect(failure?.code == "file.cannotRead" && failure?.message.contains("does not lie in") == true)
    }

    /// A script may use fewer threads than its host gave it, and only for itself.
    @Test func threadsAreNoMoreThanTheHostsAndTheStatesOwn() throws {
        let place = try Place()
        let script = "local n = mr.threads() local more = pcall(mr.threads, n + 1) mr.threads(1) return n, more, mr.threads()"
        let result = try confined(place, script)
        #expect(result[1].boolean == false && result[2].integer == 1)
        #expect(try confined(place, "return mr.threads()")[0].integer == result[0].integer)
    }
}
