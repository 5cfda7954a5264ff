import Basics
import Foundation
import LuaBindings
import LuaRuntime
import Tensors

extension FuzzedReader {
    static let scriptReaders = [
        FuzzedReader("script", "a stranger's script, in a sandbox with small limits") { try run(script: $0) },
        FuzzedReader("plan", "JSON as a plan, as scores, as curves, and as options of mr.plan", make: { try documents("plan", planScript) }),
        FuzzedReader("sweep", "a file that mr.sweep goes on from", make: { try documents("sweep", sweepScript) }),
        FuzzedReader("csv", "comma-separated values; what is read is written and read again", make: { try documents("csv", csvScript) }),
    ]

    /// A new interpreter for every script, because a script may change its libraries. The toolkit, which takes much longer
    /// than all the rest, is there for those that name it.
    private static func run(script bytes: [UInt8]) throws {
        let usesToolkit = bytes.count >= 8 && (0...bytes.count - 8).contains { bytes[$0...].starts(with: "moonrail".utf8) }
        let state = try interpreter(.current, instructionLimit: 200_000, allowedPaths: nil, hasToolkit: usesToolkit)
        defer { state.close() }
        try state.run(String(foreignBytes: bytes), name: "script.lua")
    }

    private static func interpreter(
        _ context: ComputeContext, instructionLimit: Int, allowedPaths: [String]?, hasToolkit: Bool = true
    ) throws -> LuaState {
        let state = try LuaState(
            LuaOptions(
                isSandboxed: true, memoryLimit: Session.memoryLimit, instructionLimit: instructionLimit, timeLimit: 2,
                allowedPaths: allowedPaths, context: context, output: { _ in }, warnings: { _ in }))
        if hasToolkit { try Toolkit.install(in: state) }
        return state
    }

    /// Reads documents with the function that `script` gives, which gets the path of a file.
    private static func documents(_ name: String, _ script: String) throws -> (([UInt8]) throws -> Void) {
        let place = try Workplace(name)
        var (state, function): (LuaState?, LuaFunction?)
        var count = 0
        return { bytes in
            // Anew now and then, so that an input depends on few before it.
            if count % 500 == 0 {
                state?.close()
                let context = ComputeContext(threadCount: 1, memoryLimit: Session.memoryLimit)
                let opened = try interpreter(context, instructionLimit: 4_000_000, allowedPaths: [place.directory])
                (state, function) = (opened, try opened.run(script, name: name).first?.function)
            }
            count += 1
            let path = place.directory + "/document"
            guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { throw Misreading("\(path) cannot be written") }
            do {
                try function?(path)
            } catch let failure as LuaFailure where failure.code == "lua.runtime" {
                // The toolkit has words and a code for what is wrong with a document; Lua's own error says of some value
                // inside that it is no table.
                throw Misreading("Lua fails: \(failure.message)\n\(failure.traceback)")
            }
        }
    }
}

/// A directory for the files of one reader, which goes with it.
private final class Workplace {
    let directory: String

    init(_ name: String) throws {
        directory = FileManager.default.temporaryDirectory.path + "/fuzzing-\(name)-\(UUID().uuidString)"
        try AtomicFile.makeDirectory(directory)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }
}
