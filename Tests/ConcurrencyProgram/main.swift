// Trains the same small network in several interpreters, and in several Swift threads, first one after the other and then
// all at the same time, and compares every digit. Tests run it, and ThreadSanitizer watches it.
//
//     ConcurrencyProgram [--workers 2] [--kernels 1] [--steps 50] [--json]
//
// A line for each comparison, with how many times the throughput of one after the other it has; exit status 1 where
// digits differ or something fails.
import Basics
import Foundation
import LuaBindings
import LuaRuntime
import Tensors

/// Losses as bits, so that even NaNs compare.
typealias Digits = [UInt64]

struct Settings {
    var workers = 2
    var kernels = 1
    var steps = 50

    init(_ arguments: [String]) {
        func number(_ name: String, _ fallback: Int) -> Int {
            arguments.lastIndex(of: name).flatMap { Int(arguments[$0 + 1]) } ?? fallback
        }
        (workers, kernels, steps) = (number("--workers", workers), number("--kernels", kernels), number("--steps", steps))
    }
}

/// `count` results, one after the other or each in a thread of its own.
func results(_ count: Int, inThreads: Bool, _ body: @escaping @Sendable (Int) throws -> Digits) throws -> [Digits] {
    if !inThreads { return try (0..<count).map(body) }
    let made = Results(count: count)
    let threads = (0..<count).map { index in
        Thread {
            made.put(index, Result { try body(index) })
        }
    }
    for thread in threads {
        thread.stackSize = 8 << 20
        thread.start()
    }
    return try made.wait().map { try $0.get() }
}

/// Where threads leave what they made.
final class Results: @unchecked Sendable {
    private let condition = NSCondition()
    private var made: [Int: Result<Digits, any Error>] = [:]
    private let count: Int

    init(count: Int) { self.count = count }

    func put(_ index: Int, _ result: Result<Digits, any Error>) {
        condition.withLock { made[index] = result }
        condition.signal()
    }

    func wait() -> [Result<Digits, any Error>] {
        condition.withLock {
            while made.count < count { condition.wait() }
            return (0..<count).compactMap { made[$0] }
        }
    }
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let elapsed = try ContinuousClock().measure(body).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
}

IdleThreads.restartWithShortSpin()
let settings = Settings(CommandLine.arguments)

/// Whether the digits are the same.
@MainActor func compare(_ name: String, _ body: @escaping @Sendable (Int) throws -> Digits) throws -> Bool {
    var alone: [Digits] = []
    var together: [Digits] = []
    let before = try seconds { alone = try results(settings.workers, inThreads: false, body) }
    let after = try seconds { together = try results(settings.workers, inThreads: true, body) }
    let isSame = alone == together && Set(alone).count == 1 && !alone[0].isEmpty
    let ratio = String(format: "%.2f", before / after)
    if CommandLine.arguments.contains("--json") {
        print("{\"bench\":\"\(name)\",\"kernels\":\(settings.kernels),\"same_digits\":\(isSame),\"throughput_ratio\":\(ratio)}")
    } else {
        print("\(name): \(isSame ? "same digits" : "OTHER DIGITS"), \(ratio) times the throughput of one after the other")
    }
    return isSame
}

let (kernels, steps) = (settings.kernels, settings.steps)
let areInterpretersSame = try compare("\(settings.workers) interpreters") { _ in try InterpreterTraining.run(steps: steps, kernels: kernels) }
let areContextsSame = try compare("\(settings.workers) contexts") { _ in
    try ComputeContext(threadCount: kernels).run { try NetworkTraining.run(steps: steps) }
}
if kernels > 0 { Threads.count = kernels }
let areThreadsSame = try compare("\(settings.workers) threads of one context") { _ in try NetworkTraining.run(steps: steps) }
exit(areInterpretersSame && areContextsSame && areThreadsSame ? 0 : 1)
