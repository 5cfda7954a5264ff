public import Synchronization

/// Who owns what work needs beside its arguments: the number of threads, the request to stop, who shows progress, and,
/// for the modules above, compiled kernels and the account of tensor memory.
///
/// Every thread works for one context at a time, which is `standard` until `run` says otherwise. Work for two contexts
/// shares nothing that can be written. Several threads may also work for one context: they then share its kernels, its
/// memory limit and its request to stop. An interpreter has a context of its own.
///
///     let context = ComputeContext(threadCount: 1)
///     let loss = try context.run { try train(model) }
///
/// The static members of `Cancellation`, `ProgressReport`, `Threads` and `MemoryLedger` mean those of the current context.
public final class ComputeContext: Sendable {
    /// The context of every thread that was not given another one.
    public static let standard = ComputeContext()

    /// The context that the calling thread works for.
    public static var current: ComputeContext { WorkingThread.current.context }

    /// The request to stop what works for this context.
    public let cancellation = Cancellation()
    /// Who shows the progress of what works for this context.
    public let progress = ProgressSink()
    private let chosenThreadCount: Atomic<Int>
    private let kernelPart = AtomicLazyReference<ContextPart>()

    /// - Parameter threadCount: threads that kernels use, 1…256; 0 for all processors that the process may run on.
    public init(threadCount: Int = 0) { chosenThreadCount = Atomic(min(max(0, threadCount), 256)) }

    /// Threads that kernels use, 1…256; 0 as long as nobody has said how many.
    package var threadCount: Int {
        get { chosenThreadCount.load(ordering: .relaxed) }
        set { chosenThreadCount.store(min(max(1, newValue), 256), ordering: .relaxed) }
    }

    /// Lets the calling thread work for this context while `body` runs.
    ///
    /// `body` is synchronous: where a task waits it may go on in another thread, which works for another context.
    public func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        let thread = WorkingThread.current
        return try withExtendedLifetime(self) { try thread.work(for: self, within: thread.roots, collector: thread.collector, body) }
    }

    /// What the module with the kernels keeps here, made by `make` on first use.
    package func kernels<Part: ContextPart>(make: () -> Part) -> Part {
        let part = kernelPart.load() ?? kernelPart.storeIfNil(make())
        return unsafeDowncast(part, to: Part.self)
    }
}

/// What a module keeps in a context.
open class ContextPart: @unchecked Sendable {
    package init() {}
}
