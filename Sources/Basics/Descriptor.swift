#if canImport(Glibc)
    import Glibc
#endif

/// An open file descriptor, closed when the last that holds it goes.
package final class Descriptor: Sendable {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// Makes the file `path`, which must not be there yet, to append to.
    /// - Throws: `FileFailure`.
    package static func ofNewFile(_ path: String) throws -> Descriptor {
        try FilePath.check(path)
        do throws(OpeningError) {
            return try PathOpening.open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, mode: 0o666)
        } catch {
            throw FileFailure.unwritable(path, error)
        }
    }

    /// Writes all of `bytes`, going on after interrupted and short writes.
    ///
    /// A pipe that nobody reads any more and a file over the limit of its size are errors here; the signals that would
    /// end the process for them are kept away.
    /// - Throws: `FileFailure.cannotWrite` for `path`; `Interrupted` between pieces of 16 MiB.
    package func write(_ bytes: UnsafeRawBufferPointer, path: String) throws {
        var rest = bytes
        while !rest.isEmpty {
            if rest.count < bytes.count { try Cancellation.check() }
            let (count, error) = writeWithoutSignal(UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 24)))
            switch (count, error) {
            case (1..., _): rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            case (0, _): throw FileFailure.unwritable(path, error: EIO)
            case (_, EINTR): try Cancellation.check()
            case (_, EAGAIN):
                // Whoever gave us the descriptor does not want to wait, but we do.
                var request = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                poll(&request, 1, 100)
                try Cancellation.check()
            default: throw FileFailure.unwritable(path, error: error)
            }
        }
    }

    private func writeWithoutSignal(_ bytes: UnsafeRawBufferPointer) -> (count: Int, error: Int32) {
        var (signals, before, pending) = (sigset_t(), sigset_t(), sigset_t())
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        sigaddset(&signals, SIGXFSZ)
        pthread_sigmask(SIG_BLOCK, &signals, &before)
        sigpending(&pending)
        let count = Glibc.write(number, bytes.baseAddress, bytes.count)
        let error = errno
        let raised = count < 0 ? (error == EPIPE ? SIGPIPE : error == EFBIG ? SIGXFSZ : 0) : 0
        // A signal that waited already before was not raised by this write.
        if raised != 0, sigismember(&pending, raised) == 0 {
            var (own, noTime) = (sigset_t(), timespec())
            sigemptyset(&own)
            sigaddset(&own, raised)
            sigtimedwait(&own, nil, &noTime)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        return (count, error)
    }
}
