/// Something that shows how far long work has come. A console draws bars; a library user sees nothing by default.
public protocol ProgressReporter: Sendable {
    /// Called when `completed` of `total` steps of the work called `label` are done; `note` is a short live figure.
    func report(label: String, completed: Int, total: Int, note: String)
    /// Called once when the work called `label` ends, complete or not.
    func finish(label: String)
}

/// Where the progress of a context's work goes.
public final class ProgressSink: Sendable {
    private let held = Guarded<(any ProgressReporter)?>(nil)

    /// Who shows progress; `nil` for silence.
    public var reporter: (any ProgressReporter)? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}

/// The progress of one piece of work, told to the reporter of the context that it began in.
public struct ProgressReport: ~Copyable {
    /// Sets who shows the progress of the current context from now on; `nil` for silence.
    public static func show(with reporter: (any ProgressReporter)?) { ComputeContext.current.progress.reporter = reporter }

    private let sink = ComputeContext.current.progress
    private let label: String
    private let total: Int
    private var completed = 0

    /// - Parameter total: steps of the whole work; below 1 where nobody knows how many.
    public init(_ label: String, total: Int) {
        self.label = label
        self.total = max(0, total)
    }

    /// Counts `steps` more as done; the count stays within 0…`Int.max`.
    /// - Throws: `Interrupted` when the user asked to stop, so that every loop with a progress bar can be stopped.
    public mutating func advance(by steps: Int = 1, note: String = "") throws {
        let (sum, overflow) = completed.addingReportingOverflow(steps)
        completed = overflow ? (steps > 0 ? .max : 0) : max(0, sum)
        sink.reporter?.report(label: label, completed: completed, total: total, note: note)
        try Cancellation.check()
    }

    deinit { sink.reporter?.finish(label: label) }
}
