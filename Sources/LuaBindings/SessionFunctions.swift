import Basics
import Formats
import Interchange
import LuaRuntime
import Tensors

/// Seeds, threads, memory, time and JSON files.
enum SessionFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.offer(ProgressClass.make(), in: state)
        try state.register(LuaClass<DecimalPoint>("DecimalPoint"))
        try table.define("seed", in: state) { call in
            if !call.isNil(1) { randomState.reseed(try call.integer(1, "seed")) }
            try call.push(randomState.seed)
        }
        // A script in a sandbox may use fewer threads than its host gave it, and no more.
        let most = state.options.isSandboxed ? state.context.run { Threads.count } : 256
        try table.define("threads", in: state) { call in
            if let count = try call.optionalInteger(1, "count") {
                guard (1...most).contains(count) else { throw call.invalid(1, "count", "must be in 1…\(most), got \(count)") }
                try Threads.use(count)
            }
            try call.push(Threads.count)
        }
        try table.define("memory", in: state) { call in
            try call.push(
                [
                    "live": MemoryLedger.liveByteCount, "peak": MemoryLedger.peakByteCount,
                    "idle": MemoryLedger.idleByteCount, "limit": MemoryLedger.limit, "lua": call.state.heapByteCount,
                ] as LuaFields)
        }
        let start = ContinuousClock.now
        try table.define("clock", in: state) { call in
            try call.push(start.duration(to: .now) / .seconds(1))
        }
        try table.define("progress", in: state) { call in
            try call.push(object: ProgressObject(try call.string(1, "label"), total: try call.integer(2, "total")))
        }
        try table.define("decimal_point", in: state) { call in try call.push(object: DecimalPoint()) }
        try table.define("warn", in: state) { call in call.state.warn(try call.string(1, "text")) }
        try table.define("make_directory", in: state) { call in
            try AtomicFile.makeDirectory(try call.path(1, "path"))
        }
        try table.define("exists", in: state) { call in
            try call.push(AtomicFile.exists(try call.path(1, "path")))
        }
        try table.define("file_size", in: state) { call in
            try call.push(try AtomicFile.size(try call.path(1, "path")))
        }
        try table.define("model_size", in: state) { call in
            try call.push(try ModelFile.byteCount(try call.path(1, "path")))
        }
        // A text is there twice while it is read, and a number of two bytes is one of many in a value.
        let mostBytes = min(1 << 28, state.options.memoryLimit ?? .max)
        let mostJSON = state.options.memoryLimit.map { min(mostBytes, $0 / 8) } ?? mostBytes
        try table.define("read_text", in: state) { call in
            try call.push(LuaBytes(try AtomicFile.read(try call.path(1, "path"), limit: mostBytes)))
        }
        try table.define("write_text", in: state) { call in
            try AtomicFile.write(try call.path(1, "path"), bytes: try call.bytes(2, "text"))
        }
        try table.define("write_json", in: state) { call in
            try AtomicFile.write(try call.path(1, "path"), text: try LuaJSON.text(try call.value(2), place: "value"))
        }
        // Reads a value, replaces it by what a function makes of it, and lets no other process in between.
        try table.define("update_json", in: state) { call in
            let path = try call.path(1, "path")
            let change = try call.function(2, "change")
            try AtomicFile.update(path) { bytes in
                let old = try bytes.map { try LuaJSON.value($0, source: path, in: call.state) }
                return try LuaJSON.text(try change(old ?? .nil).first ?? .nil, place: "value")
            }
        }
        try table.define("json", in: state) { call in
            // JSON is UTF-8, so a byte that is not stays the character that stands for it.
            let text = try LuaJSON.encode(try call.value(1), place: "value").serialized(allowsNonFinite: true)
            try call.push(LuaBytes(Array(text.utf8)))
        }
        try table.define("read_json", in: state) { call in
            let path = try call.path(1, "path")
            let bytes = try AtomicFile.read(path, limit: mostJSON)
            try call.push(try LuaJSON.value(bytes, source: path, in: call.state))
        }
        // The errors of the part that is written in Lua have codes as well.
        try table.define("fail", in: state) { call in
            throw ScriptFailure(code: try call.string(1, "code"), try call.string(2, "message"))
        }
        try table.define("nearest", in: state) { call in
            try call.push(nearestName(to: try call.string(1, "name"), among: try call.strings(2, "names")))
        }
    }
}

/// A progress bar that a script moves.
final class ProgressObject {
    private var progress: ProgressReport?
    /// Of the label.
    let byteCount: Int

    init(_ label: String, total: Int) {
        byteCount = label.utf8.count
        progress = ProgressReport(label, total: total)
    }

    func advance(_ steps: Int, note: String) throws { try progress?.advance(by: steps, note: note) }
    func close() { progress = nil }
}

enum ProgressClass {
    static func make() -> LuaClass<ProgressObject> {
        LuaClass("Progress") { members in
            members.byteCount { $0.byteCount }
            members.method("advance") { call, progress in
                try progress.advance(try call.optionalInteger(1, "steps") ?? 1, note: try call.optionalString(2, "note") ?? "")
            }
            members.method("finish") { _, progress in progress.close() }
        }
    }
}
