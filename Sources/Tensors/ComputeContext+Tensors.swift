public import Basics

/// What tensors and their kernels keep in a context.
private final class TensorPart: ContextPart, @unchecked Sendable {
    let memory = MemoryLedger()
    let primitives = PrimitiveCache()
}

extension ComputeContext {
    /// A context whose tensors may take at most `memoryLimit` bytes.
    public convenience init(threadCount: Int = 0, memoryLimit: Int) {
        self.init(threadCount: threadCount)
        memory.limit = memoryLimit
    }

    private var tensors: TensorPart { kernels { TensorPart() } }

    /// The account of this context's tensors.
    public var memory: MemoryLedger { tensors.memory }

    /// The primitives that were made for this context.
    package var primitives: PrimitiveCache { tensors.primitives }
}
