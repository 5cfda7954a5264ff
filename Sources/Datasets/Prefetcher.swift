import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// Makes numbered items on a thread of its own, a few ahead of their use.
///
/// It works for the context of whoever started it, and reaches the same files. A POSIX thread rather than a task: the
/// consumer is synchronous code that has to wait. The thread ends after the last item, after an error, or when the
/// prefetcher is dropped, which waits for the item in the making.
package final class Prefetcher<Item: Sendable> {
    private let queue: HandOver<Item>
    private var thread = pthread_t()

    /// - Parameters:
    ///   - numbers: the items to make, in order.
    ///   - ahead: how many may be finished or in the making beyond those taken, at least 1.
    /// - Throws: `DatasetFailure.noThread`.
    package init(_ numbers: Range<Int>, ahead: Int, make: @escaping @Sendable (Int) throws -> Item) throws {
        let queue = HandOver<Item>(capacity: ahead)
        self.queue = queue
        let (context, roots) = (ComputeContext.current, FileRoots.current)
        let work = Work {
            withExtendedLifetime((context, roots)) {
                WorkingThread.current.work(for: context, within: roots, collector: nil) {
                    for number in numbers {
                        guard queue.waitForRoom() else { return }
                        let item = Result { try make(number) }
                        queue.put(item)
                        if case .failure = item { return }
                    }
                }
            }
        }
        // Signals stay with the threads that were there before: Ctrl-C is the main thread's business.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let box = Unmanaged.passRetained(work)
        let status = pthread_create(&thread, nil, runWork, box.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard status == 0 else {
            box.release()
            queue.stop()
            thread = 0
            throw DatasetFailure.noThread(reason: String(cString: strerror(status)))
        }
    }

    /// The next item, in order. Must not be called after the last one, or after an error.
    package func next() throws -> Item { try queue.take().get() }

    deinit {
        queue.stop()
        if thread != 0 { pthread_join(thread, nil) }
    }
}

/// A closure on its way to a thread.
private final class Work: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runWork(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}

/// A bounded queue between two threads.
///
/// All state is guarded by `mutex`, which is why the class may be shared; `changed` is signalled after every change.
private final class HandOver<Item: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let capacity: Int
    private var finished: [Result<Item, any Error>] = []
    private var isStopped = false

    init(capacity: Int) {
        self.capacity = capacity
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return body()
    }

    /// Waits until another item may be made; `false` when none is wanted any more.
    func waitForRoom() -> Bool {
        locked {
            while finished.count >= capacity, !isStopped { pthread_cond_wait(changed, mutex) }
            return !isStopped
        }
    }

    func put(_ item: Result<Item, any Error>) { locked { finished.append(item) } }

    /// Waits for the next item.
    func take() -> Result<Item, any Error> {
        locked {
            while finished.isEmpty { pthread_cond_wait(changed, mutex) }
            return finished.removeFirst()
        }
    }

    func stop() { locked { isStopped = true } }
}
