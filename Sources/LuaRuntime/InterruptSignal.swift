import Basics
import CLuaBridge

/// Ctrl-C as a request to stop the computation rather than the process.
public enum InterruptSignal {
    /// Makes SIGINT call `Cancellation.request()`, which running scripts and kernels see. Blocking reads are cut short
    /// with EINTR. Whoever starts the next command calls `Cancellation.clear()` before.
    public static func requestCancellation() { moon_handle_interrupt_signal { _ in Cancellation.request() } }

    /// Gives SIGINT back its default: ending the process.
    public static func restoreDefault() { moon_handle_interrupt_signal(nil) }
}
