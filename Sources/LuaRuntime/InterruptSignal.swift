import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// What Ctrl-C does in a program whose work belongs to the standard context.
///
/// Blocking reads are cut short with EINTR. Whoever starts the next command calls `Cancellation.clear()` before.
public enum InterruptSignal {
    /// Ctrl-C asks the work of the standard context to stop, which running scripts and kernels see.
    public static func stopsWork() { handle(SIGINT) { _ in ComputeContext.standard.cancellation.request() } }

    /// Ctrl-C asks the work to stop, so that it can report and clean up. What has not ended after `graceMicroseconds`, or
    /// at the second Ctrl-C, ends with the process: a pattern that backtracks, a decomposition in LAPACK and a finalizer
    /// look for no request. Files are written whole or not at all, so that none is lost by that.
    public static func stopsWorkThenProcess() {
        handle(SIGALRM) { _ in
            if ComputeContext.standard.cancellation.isRequested { InterruptSignal.endProcess() }
        }
        handle(SIGINT) { _ in
            let cancellation = ComputeContext.standard.cancellation
            if cancellation.isRequested { InterruptSignal.endProcess() }
            cancellation.request()
            InterruptSignal.startTimer(microseconds: InterruptSignal.graceMicroseconds)
        }
    }

    /// The work has ended by itself.
    public static func hasBeenHeeded() { startTimer(microseconds: 0) }

    private static let graceMicroseconds = 400_000

    /// Only what a signal handler may call.
    private static func endProcess() {
        let text: StaticString = "interrupted\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        _exit(130)
    }

    private static func startTimer(microseconds: Int) {
        var timer = itimerval()
        timer.it_value.tv_usec = microseconds
        setitimer(__itimer_which_t(0), &timer, nil)
    }

    private static func handle(_ signal: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        sigemptyset(&action.sa_mask)
        action.__sigaction_handler.sa_handler = handler
        sigaction(signal, &action, nil)
    }
}
