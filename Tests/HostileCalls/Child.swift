import Basics
import Foundation
import LuaBindings
import LuaRuntime
import Tensors

/// Makes calls in a sandboxed interpreter, in the directory that the process was started in.
struct Child {
    let settings: Settings
    private let state: LuaState
    private let watch: Watch
    private let perform: LuaFunction
    private let reset: LuaFunction
    private let describe: LuaFunction
    private let systematicCount: Int

    init(_ settings: Settings) throws {
        self.settings = settings
        let context = ComputeContext(threadCount: 1, memoryLimit: Settings.memoryLimit)
        state = try LuaState(
            LuaOptions(
                isSandboxed: true, memoryLimit: Settings.memoryLimit, instructionLimit: Settings.instructionLimit,
                allowedPaths: ["."], context: context, interruptInterval: 1000, output: { _ in }))
        watch = Watch(context)
        try Toolkit.install(in: state)
        let calls = try Self.generator(settings, in: state)
        guard let perform = try calls.rawGet("perform").function, let reset = try calls.rawGet("reset").function,
            let describe = try calls.rawGet("describe").function, let count = try calls.rawGet("systematic").integer
        else { throw ScriptFailure(code: "hostileCalls.scripts", "calls.lua gives no perform, reset, describe and systematic") }
        (self.perform, self.reset, self.describe, systematicCount) = (perform, reset, describe, count)
    }

    /// The scripts of the generator, each with what those before it give.
    private static func generator(_ settings: Settings, in state: LuaState) throws -> LuaTable {
        let values = try table("values.lua", [], settings, state)
        let subjects = try table("subjects.lua", [], settings, state)
        let described = try table("described.lua", [subjects], settings, state)
        let entries = try table("extras.lua", [subjects, described], settings, state)
        return try table("calls.lua", [values, subjects, entries, settings.seed], settings, state)
    }

    private static func table(
        _ name: String, _ arguments: [any LuaConvertible], _ settings: Settings, _ state: LuaState
    ) throws -> LuaTable {
        let text = String(decoding: try AtomicFile.read(settings.scripts + "/" + name), as: UTF8.self)
        let results = try state.load(text, name: name).call(with: arguments)
        if let table = results.first?.table { return table }
        throw ScriptFailure(code: "hostileCalls.scripts", "\(name) gives no table")
    }

    /// Writes the number of every call to the note before it is made, and prints how many ended how.
    func run() throws {
        if settings.count == 0, settings.call == nil { return print(systematicCount) }
        let note = settings.note.map { open($0, O_WRONLY | O_CREAT, 0o644) } ?? -1
        watch.start()
        var codes: [String: Int] = [:]
        let last = settings.call ?? settings.first + settings.count - 1
        let first = settings.call.map { ($0 - 1) / Settings.batch * Settings.batch + 1 } ?? settings.first
        for number in first...last {
            watch.begin(number)
            withUnsafeBytes(of: number) { _ = pwrite(note, $0.baseAddress, $0.count, 0) }
            if number == first || (number - 1) % Settings.batch == 0 { try reset() }
            if number == settings.call {
                print(try describe(number).first?.string ?? "")
                fflush(nil)  // the call may end the process
            }
            let failure = self.failure(of: number)
            codes[failure?.code ?? "none", default: 0] += 1
            if number == settings.call { print(failure.map { "\($0.code): \($0.description)" } ?? "no error") }
        }
        print(codes.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
    }

    /// What a call ends with; `nil` where it returns.
    private func failure(of number: Int) -> (any Failure)? {
        do {
            try perform(number)
            return nil
        } catch let failure as any Failure {
            return failure
        } catch {
            return ScriptFailure(code: "hostileCalls.unknown", "\(error)")
        }
    }
}
