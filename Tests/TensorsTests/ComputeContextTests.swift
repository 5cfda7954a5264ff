import Basics
import COneDNN
import Synchronization
import Tensors
import Testing

@Suite struct ComputeContextTests {
    private func pool(_ width: Int) throws -> String {
        let x = try Tensor.zeros([1, 8, 1, width])
        return try Pooling.primitive(cod_forward_inference, x.shape, .init(kind: .max, window: [1, 1]), .blocked).implementation
    }

    @Test func aThreadWorksForOneContextAtATime() throws {
        let (outer, inner) = (ComputeContext(), ComputeContext())
        #expect(ComputeContext.current === ComputeContext.standard)
        outer.run {
            #expect(ComputeContext.current === outer)
            inner.run { #expect(ComputeContext.current === inner) }
            #expect(ComputeContext.current === outer)
        }
        #expect(throws: Interrupted.self) { try outer.run { throw Interrupted() } }
        #expect(ComputeContext.current === ComputeContext.standard)
    }

    @Test func membersOfATeamWorkForTheContextOfItsCaller() {
        let context = ComputeContext(threadCount: 2)
        context.run {
            let strangers = Atomic<Int>(0)
            let shares = Atomic<Int>(0)
            parallelFor(64, grain: 1) { _ in
                shares.wrappingAdd(1, ordering: .relaxed)
                if ComputeContext.current !== context { strangers.wrappingAdd(1, ordering: .relaxed) }
                // A team inside of a team would ask for threads that are at work already.
                if Threads.count != 1 { strangers.wrappingAdd(1, ordering: .relaxed) }
            }
            #expect(shares.load(ordering: .relaxed) >= 1)
            #expect(strangers.load(ordering: .relaxed) == 0)
            #expect(Threads.count == 2)
        }
    }

    @Test func threadCountsAreTheContextsOwn() {
        let before = Threads.count
        let context = ComputeContext(threadCount: 3)
        context.run {
            #expect(Threads.count == 3)
            Threads.count = 5
            #expect(Threads.count == 5)
            Threads.withOneThread { #expect(Threads.count == 1) }
        }
        #expect(Threads.count == before)
        #expect(ComputeContext().run { Threads.count } == min(256, Threads.available))
        #expect(ComputeContext(threadCount: 100_000).run { Threads.count } == 256)
    }

    @Test func aRequestToStopReachesOneContextOnly() throws {
        let (stopped, other) = (ComputeContext(), ComputeContext())
        stopped.cancellation.request()
        #expect(throws: Interrupted.self) { try stopped.run { try Cancellation.check() } }
        try other.run { try Cancellation.check() }
        #expect(!Cancellation.isRequested)
        stopped.cancellation.clear()
        try stopped.run { try Cancellation.check() }
    }

    @Test func memoryIsCountedWhereItWasTaken() throws {
        let (small, other) = (ComputeContext(memoryLimit: 1 << 20), ComputeContext())
        let tensor = try small.run { try Tensor.zeros([1000]) }
        #expect(small.memory.liveByteCount >= 4000 && other.memory.liveByteCount == 0)
        expectFailure("tensor.outOfMemory", "the limit is 1.0 MiB") { _ = try small.run { try Tensor.zeros([1 << 20]) } }
        // Kept by nobody, it goes back to the account that it came from, wherever that happens.
        func drop(_ tensor: consuming Tensor) -> Int { tensor.elementCount }
        #expect(other.run { drop(tensor) } == 1000)
        #expect(try other.run { try Tensor.zeros([1 << 20]).elementCount } == 1 << 20)
    }

    @Test func primitivesThatServeOutliveATableOfOthers() throws {
        let context = ComputeContext()
        try context.run {
            _ = try pool(1)
            for width in 2...1500 {
                _ = try pool(width)
                if width % 100 == 0 { _ = try pool(1) }
            }
            #expect(context.primitives.count <= 1024 && context.primitives.count > 800)
            let before = context.primitives.count
            _ = try pool(1)
            _ = try pool(1500)
            #expect(context.primitives.count == before, "both were there")
            _ = try pool(2)
            #expect(context.primitives.count == before + 1, "the oldest had gone")
        }
    }
}
