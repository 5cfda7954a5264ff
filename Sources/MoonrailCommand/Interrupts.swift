import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// What Ctrl-C does while a script runs.
enum Interrupts {
    /// The first Ctrl-C asks the script to stop, so that it can report and clean up; the second ends the process, for
    /// work that does not look.
    static func stopScriptThenProcess() {
        var action = sigaction()
        sigemptyset(&action.sa_mask)
        action.__sigaction_handler.sa_handler = { _ in
            if Cancellation.isRequested { _exit(130) }
            Cancellation.request()
        }
        sigaction(SIGINT, &action, nil)
    }
}
