import Synchronization
import Testing

import Basics
import Datasets

@Suite struct PrefetcherTests {
    private struct Broken: Error {}

    @Test func itemsComeInOrder() throws {
        let prefetcher = try Prefetcher(3..<50, ahead: 2) { $0 * $0 }
        for number in 3..<50 { #expect(try prefetcher.next() == number * number) }
    }

    /// After `taken` items the thread may have begun `taken + ahead`, and the one it would begin on another taking.
    @Test(arguments: [1, 2, 5])
    func noMoreThanAllowedAreMadeAhead(_ ahead: Int) throws {
        final class Counter: Sendable { let begun = Atomic<Int>(0) }
        let counter = Counter()
        let prefetcher = try Prefetcher(0..<200, ahead: ahead) { number in
            counter.begun.add(1, ordering: .sequentiallyConsistent)
            return number
        }
        for taken in 0..<100 {
            #expect(counter.begun.load(ordering: .sequentiallyConsistent) <= taken + ahead)
            _ = try prefetcher.next()
        }
    }

    /// The thread reaches the files that whoever began it does, and outlives the roots that were given to it.
    @Test func theThreadHasTheRootsOfWhoeverStartedIt() throws {
        let confined = try FileRoots(["/usr"]).confine {
            try Prefetcher(0..<2, ahead: 2) { AtomicFile.exists($0 == 0 ? "/usr/bin" : "/etc/passwd") }
        }
        #expect(try confined.next() == true)
        #expect(try confined.next() == false)
        let free = try Prefetcher(0..<1, ahead: 1) { _ in AtomicFile.exists("/etc/passwd") }
        #expect(try free.next() == true)
    }

    @Test func errorArrivesInItsPlace() throws {
        let prefetcher = try Prefetcher(0..<10, ahead: 2) { number in
            if number == 3 { throw Broken() }
            return number
        }
        for number in 0..<3 { #expect(try prefetcher.next() == number) }
        #expect(throws: Broken.self) { try prefetcher.next() }
    }

    /// The thread holds the closure and thereby the token, so the token's end is the thread's.
    @Test(arguments: [0, 1, 5, 20])
    func droppingEndsTheThread(_ taken: Int) throws {
        final class Token: Sendable {}
        var token: Token? = Token()
        weak let watched = token
        var prefetcher: Prefetcher<Int>? = try Prefetcher(0..<20, ahead: 2) { [token] number in
            withExtendedLifetime(token) { number }
        }
        token = nil
        for _ in 0..<taken { _ = try prefetcher?.next() }
        prefetcher = nil
        #expect(watched == nil)
    }

    @Test func manyStartsAndStopsAreSound() throws {
        for round in 0..<300 {
            let prefetcher = try Prefetcher(0..<10, ahead: 2) { $0 }
            for _ in 0..<(round % 11) { _ = try prefetcher.next() }
        }
    }
}
