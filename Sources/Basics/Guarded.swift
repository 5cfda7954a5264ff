#if canImport(Glibc)
    package import Glibc
#endif

/// State that one thread at a time may use.
///
/// On a POSIX mutex rather than on `Synchronization.Mutex`, because ThreadSanitizer knows the former and not the futexes
/// that the latter is made of on Linux: it would take everything that such a lock guards for a race, and real races would
/// drown in that. Where no other thread holds it, a POSIX mutex costs the same few nanoseconds.
package final class Guarded<State: Sendable>: @unchecked Sendable {
    /// Memory of its own, since the address of a mutex must never change.
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline var state: State

    @inlinable
    package init(_ state: State) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        self.state = state
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// What `body` gives, which has the state for itself meanwhile and must not call `withLock` again.
    @inlinable
    package func withLock<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
