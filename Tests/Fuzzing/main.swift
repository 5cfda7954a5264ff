// A reader under libFuzzer: Fuzzing NAME [--say] [options of libFuzzer] [folders of inputs, or a file that is read once].
// `scripts/fuzz` builds and calls it.
//
// A fault that no sanitizer sees, such as a value that is written and comes back as another, ends the process like a crash,
// so that libFuzzer keeps the input.
import Basics
import CFuzzer
import Foundation
import FuzzedReaders

/// What the driver's function, which has no context of its own, works with. All of it is on the main thread.
enum Fuzzing {
    nonisolated(unsafe) static var session: FuzzedReader.Session?
    nonisolated(unsafe) static var acceptedCount = 0
    /// Whether to say what came of each input.
    nonisolated(unsafe) static var says = false

    static func attempt(_ bytes: UnsafeBufferPointer<UInt8>) {
        do {
            switch try session?.attempt(Array(bytes)) {
            case .accepted:
                acceptedCount += 1
                if says { say("accepted") }
            case .refused(let failure): if says { say("refused, \(failure.code): \(failure.description)") }
            case nil: break
            }
        } catch {
            say("FAULT: \(error)")
            abort()
        }
    }

    static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}

var words = CommandLine.arguments
guard words.count > 1, let reader = FuzzedReader.all.first(where: { $0.name == words[1] }) else {
    let names = FuzzedReader.all.map { $0.name.padding(toLength: 14, withPad: " ", startingAt: 0) + $0.summary }
    Fuzzing.say((["Fuzzing: needs the name of a reader:"] + names).joined(separator: "\n  "))
    exit(2)
}
words.remove(at: 1)
if let place = words.firstIndex(of: "--say") {
    Fuzzing.says = true
    words.remove(at: place)
}
words.insert("-max_len=\(reader.longest)", at: 1)
do {
    Fuzzing.session = try reader.open()
} catch {
    Fuzzing.say("Fuzzing: \(reader.name) cannot be set up: \(error)")
    exit(2)
}
atexit { Fuzzing.say("stat::accepted_units: \(Fuzzing.acceptedCount)") }

// The driver keeps its arguments.
var count = Int32(words.count)
let copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: copies.count)
arguments?.initialize(from: copies, count: copies.count)
exit(
    LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
        Fuzzing.attempt(UnsafeBufferPointer(start: bytes, count: count))
        return 0
    })
