import Basics
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// What Ctrl-C does in a program whose work belongs to the standard context.
///
/// Blocking reads are cut short with EINTR. Whoever starts the next command calls `Cancellation.clear()` before.
public enum InterruptSignal {
    /// Ctrl-C asks the work of the standard context to stop, which running scripts and kernels see. Where the work goes on
    /// half a second later all the same, the next one says so, and the one behind that ends the process.
    public static func stopsWork() {
        // What is made at first use must be there before a signal comes.
        _ = (ComputeContext.standard, unheeded.load(ordering: .relaxed), lastTime.load(ordering: .relaxed))
        handle(SIGINT) { _ in
            let (cancellation, now) = (ComputeContext.standard.cancellation, InterruptSignal.milliseconds)
            if !cancellation.wasInterrupted {
                InterruptSignal.unheeded.store(0, ordering: .relaxed)
            } else if now - InterruptSignal.lastTime.load(ordering: .relaxed) < 500 {
                return
            }
            InterruptSignal.lastTime.store(now, ordering: .relaxed)
            cancellation.request()
            switch InterruptSignal.unheeded.wrappingAdd(1, ordering: .relaxed).newValue {
            case 1: break
            case 2: InterruptSignal.warn()
            default: InterruptSignal.endProcess()
            }
        }
    }

    /// How often Ctrl-C came since the request that has not been heeded yet.
    private static let unheeded = Atomic<Int>(0)
    /// When the last one of these came.
    private static let lastTime = Atomic<Int>(0)

    private static var milliseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// Ctrl-C asks the work to stop, so that it can report and clean up. What has not ended after `graceMicroseconds`, or
    /// at the second Ctrl-C, ends with the process: a pattern that backtracks, a decomposition in LAPACK and a finalizer
    /// look for no request. Files are written whole or not at all, so that none is lost by that.
    public static func stopsWorkThenProcess() {
        handle(SIGALRM) { _ in
            let cancellation = ComputeContext.standard.cancellation
            if cancellation.wasInterrupted { InterruptSignal.endProcess() }
            if cancellation.isLate { InterruptSignal.endLateProcess() }
        }
        handle(SIGINT) { _ in
            let cancellation = ComputeContext.standard.cancellation
            if cancellation.wasInterrupted { InterruptSignal.endProcess() }
            cancellation.request()
            InterruptSignal.startTimer(microseconds: InterruptSignal.graceMicroseconds)
        }
    }

    /// Ends the process, with status 1 and a sentence, where the work goes on for longer than `seconds` and the grace.
    public static func endsProcess(afterSeconds seconds: Double) {
        startTimer(microseconds: Int(min(max(seconds, 0), 1e9) * 1e6) + graceMicroseconds)
    }

    /// The work has ended by itself.
    public static func hasBeenHeeded() { startTimer(microseconds: 0) }

    private static let graceMicroseconds = 400_000

    private static func warn() {
        let text: StaticString = "\nStill at work on what looks for no interrupt, such as a decomposition; Ctrl-C once more ends moonrail.\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Only what a signal handler may call.
    private static func endProcess() {
        let text: StaticString = "interrupted\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        _exit(130)
    }

    private static func endLateProcess() {
        let text: StaticString = "error: the script took more seconds than its limit allows\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        _exit(1)
    }

    private static func startTimer(microseconds: Int) {
        var timer = itimerval()
        (timer.it_value.tv_sec, timer.it_value.tv_usec) = (microseconds / 1_000_000, microseconds % 1_000_000)
        setitimer(__itimer_which_t(0), &timer, nil)
    }

    private static func handle(_ signal: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        sigemptyset(&action.sa_mask)
        action.__sigaction_handler.sa_handler = handler
        sigaction(signal, &action, nil)
    }
}
