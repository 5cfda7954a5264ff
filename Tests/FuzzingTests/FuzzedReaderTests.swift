import Basics
import FuzzedReaders
import Glibc
import Testing

/// Readers of what strangers made, with the inputs that fuzzing begins with and those that it found faults by. A reader that
/// crashes ends the run, as it would end the process of whoever opens such a file.
@Suite(.serialized) struct FuzzedReaderTests {
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    private static let inputs = root + "/Tests/Fixtures/Fuzzing/"

    private func files(_ folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(folder + "/" + name) }
        }
        return names.sorted()
    }

    @Test(arguments: FuzzedReader.all.map(\.name))
    func soundInputsAreAccepted(name: String) throws {
        let reader = try #require(FuzzedReader.all.first { $0.name == name })
        let session = try reader.open()
        let files = files(Self.inputs + name + "/sound")
        #expect(files.count >= 2)
        for file in files {
            let bytes = try AtomicFile.read(file)
            #expect(bytes.count <= reader.longest, "\(file) is longer than what is tried")
            switch try session.attempt(bytes) {
            case .accepted: break
            case .refused(let failure): Issue.record("\(file): \(failure.code): \(failure.description)")
            }
        }
    }

    /// They may be accepted or refused; what they must not do is in `FuzzedReader`.
    @Test(arguments: FuzzedReader.all.map(\.name))
    func foundInputsComeBack(name: String) throws {
        let session = try #require(FuzzedReader.all.first { $0.name == name }).open()
        for file in files(Self.inputs + name + "/found") {
            do {
                _ = try session.attempt(try AtomicFile.read(file))
            } catch {
                Issue.record("\(file): \(error)")
            }
        }
    }

    /// Every prefix of a sound input and every input with one byte changed, which needs no libFuzzer.
    @Test(arguments: ["json", "npy", "idx", "npz", "safetensors"])
    func damagedInputsComeBack(name: String) throws {
        let session = try #require(FuzzedReader.all.first { $0.name == name }).open()
        for file in files(Self.inputs + name + "/sound").prefix(4) {
            let bytes = try AtomicFile.read(file)
            for position in bytes.indices {
                _ = try session.attempt(Array(bytes[..<position]))
                for value in [0x00, 0x7F, 0xFF, bytes[position] ^ 0x20] {
                    var damaged = bytes
                    damaged[position] = value
                    _ = try session.attempt(damaged)
                }
            }
        }
    }

    @Test func theScriptKnowsAllReaders() throws {
        let script = String(decoding: try AtomicFile.read(Self.root + "/scripts/fuzz"), as: UTF8.self)
        let list = try #require(script.firstMatch(of: /readers=\(([a-z ]+)\)/)).1
        #expect(list.split(separator: " ").map(String.init) == FuzzedReader.all.map(\.name))
    }
}
