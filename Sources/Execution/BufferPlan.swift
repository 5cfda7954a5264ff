import Tensors

/// Assigns values to as few blocks of memory as their lifetimes allow, before anything runs.
///
/// A block freed by its last reader is given to the next value it is large enough for (the smallest such block; a
/// free block that is too small grows rather than staying unused). Greedy in the order of execution.
struct BufferPlan {
    struct Block: Hashable { let index: Int }

    private(set) var byteCounts: [Int] = []
    private var free: [Int] = []

    mutating func allocate(_ byteCount: Int) -> Block {
        let fitting = free.filter { byteCounts[$0] >= byteCount }.min { byteCounts[$0] < byteCounts[$1] }
        let chosen = fitting ?? free.max { byteCounts[$0] < byteCounts[$1] }
        if let chosen {
            free.removeAll { $0 == chosen }
            byteCounts[chosen] = max(byteCounts[chosen], byteCount)
            return Block(index: chosen)
        }
        byteCounts.append(byteCount)
        return Block(index: byteCounts.count - 1)
    }

    mutating func release(_ block: Block) { free.append(block.index) }

    var totalByteCount: Int { byteCounts.reduce(0, +) }
}

/// Where a value lies while a program runs.
struct PlannedValue {
    var block = BufferPlan.Block(index: 0)
    let shape: Shape
    let format: ActivationFormat
    /// Where else than in a block the value lies.
    var place = Place.block

    enum Place {
        case block
        /// In memory of somebody else's.
        case given(Storage)
        /// Outside, at an address that each run tells; only primitives can read or write it.
        case port(String)
    }

    /// Elements stored, padding of the blocked format included.
    var storedElementCount: Int {
        format == .blocked ? Layout.blockedElementCount(shape) : shape.elementCount
    }
    var byteCount: Int { storedElementCount * (format == .bfloat16 ? 2 : 4) }

    /// The value as a tensor; one in bfloat16 is none.
    func tensor(on storage: Storage) -> Tensor {
        // No script gets here with one: the compiler hands a value in bfloat16 to primitives only, gives others a copy in another
        // format (`value(_:in:)`), and results that leave as they are do so in any format but this (`plan(raw:formats:)`).
        precondition(format != .bfloat16, "a value in bfloat16 is only for primitives")
        let layout: Layout =
            switch format {
            case .blocked: .blocked
            case .plain: .strided(shape.contiguousStrides, offset: 0)
            case .channelsLast, .bfloat16:
                .strided([shape[1] * shape[2] * shape[3], 1, shape[3] * shape[1], shape[1]], offset: 0)
            }
        return Tensor(storage: storage, shape: shape, dtype: .float32, layout: layout)
    }
}
