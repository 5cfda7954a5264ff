import Foundation
import LuaRuntime

/// What to kill, and how often.
struct Settings {
    /// The path of kinds.lua.
    var kinds = ""
    var seed = 1
    var count = 1000
    /// The one kill to be repeated.
    var kill: Int?
    /// Where the files are written; in memory where nothing else is said, because a disk is slow and has the same rules.
    var directory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"

    init(_ words: [String]) throws {
        var words = words[...]
        kinds = URL(fileURLWithPath: words.popFirst() ?? "").path
        while let word = words.popFirst() {
            let value = words.popFirst() ?? ""
            func number() throws -> Int {
                if let number = Int(value), (1...1 << 40).contains(number) { return number }
                throw ScriptFailure(code: "kills.option", "\(word) needs a number from 1, got '\(value)'")
            }
            switch word {
            case "--seed": seed = try number()
            case "--count": count = try number()
            case "--kill": kill = try number()
            case "--directory": directory = URL(fileURLWithPath: value).path
            default: throw ScriptFailure(code: "kills.option", "unknown option '\(word)'")
            }
        }
    }
}
