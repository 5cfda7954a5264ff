import Synchronization

/// Thrown by long work after the user asked for it to stop (Ctrl-C).
public struct Interrupted: Failure {
    public init() {}
    public var code: String { "interrupted" }
    public var description: String { "interrupted" }
}

/// A context's request to stop the running computation. Long loops and kernels poll it between steps.
///
/// The static members mean the request of the context that the calling thread works for.
public final class Cancellation: Sendable {
    private let requested = Atomic<Bool>(false)

    /// Asks what works for this context to stop. Any thread may call it, and a signal handler.
    public func request() { requested.store(true, ordering: .relaxed) }

    /// Forgets an earlier request; called before a new command starts.
    public func clear() { requested.store(false, ordering: .relaxed) }

    public var isRequested: Bool { requested.load(ordering: .relaxed) }

    public static func request() { ComputeContext.current.cancellation.request() }

    public static func clear() { ComputeContext.current.cancellation.clear() }

    public static var isRequested: Bool { ComputeContext.current.cancellation.isRequested }

    /// - Throws: `Interrupted` once a stop was requested.
    public static func check() throws {
        if isRequested { throw Interrupted() }
    }
}
