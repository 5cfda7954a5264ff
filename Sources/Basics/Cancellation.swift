import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

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
    /// When the time for the work is over, in nanoseconds of the monotonic clock; 0 where it has all the time.
    private let deadline = Atomic<Int64>(0)

    /// Asks what works for this context to stop. Any thread may call it, and a signal handler.
    public func request() { requested.store(true, ordering: .relaxed) }

    /// Forgets an earlier request; called before a new command starts.
    public func clear() { requested.store(false, ordering: .relaxed) }

    public var isRequested: Bool { wasInterrupted || isLate }

    /// Whether somebody asked, and not the end of the time.
    public var wasInterrupted: Bool { requested.load(ordering: .relaxed) }

    /// Whether the time that `allow` gave is over.
    public var isLate: Bool {
        let deadline = deadline.load(ordering: .relaxed)
        return deadline != 0 && Self.now >= deadline
    }

    /// Gives the work that begins now that many seconds, after which it is asked to stop; `nil` for all the time.
    public func allow(seconds: Double?) {
        deadline.store(seconds.map { Self.now + Int64(min(max($0, 0), 1e9) * 1e9) } ?? 0, ordering: .relaxed)
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    public static func request() { ComputeContext.current.cancellation.request() }

    public static func clear() { ComputeContext.current.cancellation.clear() }

    public static var isRequested: Bool { ComputeContext.current.cancellation.isRequested }

    /// - Throws: `Interrupted` once a stop was requested.
    public static func check() throws {
        if isRequested { throw Interrupted() }
    }
}
