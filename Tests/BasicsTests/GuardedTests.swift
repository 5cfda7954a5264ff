import Basics
import Dispatch
import Testing

@Suite struct GuardedTests {
    @Test func oneThreadAtATimeHasTheState() {
        let count = Guarded(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<1000 {
                count.withLock { value in
                    // Read and written apart, so that what another thread writes in between would be lost.
                    let read = value
                    value = read + 1
                }
            }
        }
        #expect(count.withLock { $0 } == 8000)
    }

    @Test func anErrorGivesTheStateBack() {
        let text = Guarded("")
        #expect(throws: Interrupted.self) {
            try text.withLock { text in
                text = "before"
                throw Interrupted()
            }
        }
        #expect(text.withLock { $0 } == "before")
    }
}
