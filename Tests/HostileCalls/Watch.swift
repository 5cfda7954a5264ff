import Basics
import Foundation
import Synchronization

/// A thread that asks a call which takes long to stop, and ends the process where that does not help.
final class Watch: Sendable {
    private let call = Atomic<Int>(0)
    private let context: ComputeContext

    init(_ context: ComputeContext) { self.context = context }

    /// A call begins.
    func begin(_ number: Int) {
        context.cancellation.clear()
        call.store(number, ordering: .relaxed)
    }

    func start() {
        Thread.detachNewThread { [self] in
            var (watched, since) = (0, Self.processorSeconds())
            while true {
                Thread.sleep(forTimeInterval: 0.05)
                let (number, now) = (call.load(ordering: .relaxed), Self.processorSeconds())
                if number != watched { (watched, since) = (number, now) }
                if now - since > Settings.longSeconds { context.cancellation.request() }
                if now - since > Settings.patienceSeconds { _exit(3) }
            }
        }
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
