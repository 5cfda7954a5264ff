#if canImport(Glibc)
    import Glibc
#endif

/// An interpreter whose garbage may hold tensors.
package protocol GarbageCollector: AnyObject {
    /// Frees what nothing reaches any more.
    func collect()
}

/// What the calling thread works for, and under which rules. Never leaves its thread.
///
/// The references are not counted, because they change with every call from a script: whoever sets one sets it back
/// before its object can go.
package final class WorkingThread {
    package private(set) unowned(unsafe) var context = ComputeContext.standard
    /// The interpreter that is running on this thread and waits for the result of a Swift function.
    package private(set) unowned(unsafe) var collector: (any GarbageCollector)?
    /// The files that what runs on this thread may reach; `nil` for all of them.
    package private(set) unowned(unsafe) var roots: FileRoots?
    /// Threads that kernels may use at most, whatever the context says; 0 for no such limit.
    package var threadLimit = 0
    /// Whether this thread, or the one whose team it belongs to, holds the lock around a library for one thread.
    package var holdsLibraryLock = false

    /// What a member of a team takes over from the thread that started it.
    package struct Role {
        let context: ComputeContext
        let roots: FileRoots?
        let holdsLibraryLock: Bool
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { pointer in
            if let pointer { Unmanaged<WorkingThread>.fromOpaque(pointer).release() }
        }
        return key
    }()

    package static var current: WorkingThread {
        if let pointer = pthread_getspecific(key) {
            return Unmanaged<WorkingThread>.fromOpaque(pointer).takeUnretainedValue()
        }
        let thread = WorkingThread()
        pthread_setspecific(key, Unmanaged.passRetained(thread).toOpaque())
        return thread
    }

    package var role: Role { Role(context: context, roots: roots, holdsLibraryLock: holdsLibraryLock) }

    /// Runs `body` for a context, within what it may reach of the file system, and for the interpreter that called it if
    /// there is one.
    @inline(__always)
    package func work<Result>(
        for context: ComputeContext, within roots: FileRoots?, collector: (any GarbageCollector)?, _ body: () throws -> Result
    ) rethrows -> Result {
        let outer = (self.context, self.roots, self.collector)
        (self.context, self.roots, self.collector) = (context, roots, collector)
        defer { (self.context, self.roots, self.collector) = outer }
        return try body()
    }

    /// Runs a share of a team's work, with one thread. Interpreters belong to the thread that started the team.
    package func play(_ role: Role, _ body: () -> Void) {
        let outer = (threadLimit, holdsLibraryLock)
        (threadLimit, holdsLibraryLock) = (1, role.holdsLibraryLock)
        work(for: role.context, within: role.roots, collector: nil, body)
        (threadLimit, holdsLibraryLock) = outer
    }
}
