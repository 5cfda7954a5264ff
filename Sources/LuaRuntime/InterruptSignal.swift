import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// What Ctrl-C does in a program whose work belongs to the standard context.
///
/// Blocking reads are cut short with EINTR. Whoever starts the next command calls `Cancellation.clear()` before.
public enum InterruptSignal {
    /// Ctrl-C asks the work of the standard context to stop, which running scripts and kernels see.
    public static func stopsWork() { handle { _ in ComputeContext.standard.cancellation.request() } }

    /// The first Ctrl-C asks the work to stop, so that it can report and clean up; the second ends the process, for work
    /// that does not look.
    public static func stopsWorkThenProcess() {
        handle { _ in
            let cancellation = ComputeContext.standard.cancellation
            if cancellation.isRequested { _exit(130) }
            cancellation.request()
        }
    }

    private static func handle(_ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        sigemptyset(&action.sa_mask)
        action.__sigaction_handler.sa_handler = handler
        sigaction(SIGINT, &action, nil)
    }
}
