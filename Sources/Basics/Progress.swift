import Synchronization

/// Something that shows how far long work has come. A console draws bars; a library user sees nothing by default.
public protocol ProgressReporter: Sendable {
    /// Called when `completed` of `total` steps of the work called `label` are done; `note` is a short live figure.
    func report(label: String, completed: Int, total: Int, note: String)
    /// Called once when the work called `label` ends, complete or not.
    func finish(label: String)
}

/// The progress of one piece of work, told to the process's reporter.
public struct Progress: ~Copyable {
    private static let reporter = Mutex<(any ProgressReporter)?>(nil)

    /// Sets who shows progress from now on; `nil` for silence.
    public static func show(with newReporter: (any ProgressReporter)?) { reporter.withLock { $0 = newReporter } }

    private let label: String
    private let total: Int
    private var completed = 0

    public init(_ label: String, total: Int) {
        self.label = label
        self.total = total
    }

    /// Counts `steps` more as done.
    /// - Throws: `Interrupted` when the user asked to stop, so that every loop with a progress bar can be stopped.
    public mutating func advance(by steps: Int = 1, note: String = "") throws {
        completed += steps
        Self.reporter.withLock { $0 }?.report(label: label, completed: completed, total: total, note: note)
        try Cancellation.check()
    }

    deinit { Self.reporter.withLock { $0 }?.finish(label: label) }
}
