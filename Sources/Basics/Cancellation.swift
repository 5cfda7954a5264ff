import Synchronization

/// Thrown by long work after the user asked for it to stop (Ctrl-C).
public struct Interrupted: Failure {
    public init() {}
    public var code: String { "interrupted" }
    public var description: String { "interrupted" }
}

/// The process-wide request to stop the running computation. Long loops and kernels poll it between steps.
public enum Cancellation {
    private static let requested = Atomic<Bool>(false)

    /// Asks the running computation to stop. Safe to call from a signal handler.
    public static func request() { requested.store(true, ordering: .relaxed) }

    /// Forgets an earlier request; called before a new command starts.
    public static func clear() { requested.store(false, ordering: .relaxed) }

    public static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// - Throws: `Interrupted` once a stop was requested.
    @inline(__always)
    public static func check() throws {
        if requested.load(ordering: .relaxed) { throw Interrupted() }
    }
}
