import Basics
import Foundation
import LuaRuntime

/// What to call, and the limits: enough for every valid call, and little enough that huge ones fail at once.
struct Settings: Sendable {
    static let memoryLimit = 96 << 20
    static let instructionLimit = 4_000_000
    /// Calls after which everything starts anew, so that a call can be repeated with those of its batch before it.
    static let batch = 5000
    /// Processor seconds after which a call is asked to stop: some only do the long work that they were told to do.
    static let longSeconds = 0.25
    /// Processor seconds after which a call counts as one that does not come back.
    static let patienceSeconds = 15.0

    var scripts = ""
    var seed = 1
    var first = 1
    /// 0 for all that put one value in one place.
    var count = 0
    /// The one call to be repeated.
    var call: Int?
    /// Of a child: the file for the number of the call.
    var note: String?

    var isChild: Bool { note != nil }

    init(_ words: [String]) throws {
        var words = words[...]
        scripts = URL(fileURLWithPath: words.popFirst() ?? "").path
        while let word = words.popFirst() {
            let value = words.popFirst() ?? ""
            func number() throws -> Int {
                if let number = Int(value), (0...1 << 48).contains(number) { return number }
                throw ScriptFailure(code: "hostileCalls.option", "\(word) needs a number, got '\(value)'")
            }
            switch word {
            case "--seed": seed = try number()
            case "--from": first = max(1, try number())
            case "--count": count = try number()
            case "--call": call = try number()
            case "--note": note = value
            default: throw ScriptFailure(code: "hostileCalls.option", "unknown option '\(word)'")
            }
        }
    }
}
