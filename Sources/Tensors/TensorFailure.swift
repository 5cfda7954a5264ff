public import Basics

/// What can be wrong with a tensor operation: the operation, the real shapes, and what was expected.
public enum TensorFailure: Failure {
    case shapeMismatch(operation: String, detail: String)
    case typeMismatch(operation: String, expected: String, got: DType)
    case indexOutOfRange(operation: String, what: String, index: Int, count: Int)
    case invalidArgument(operation: String, detail: String)
    case outOfMemory(byteCount: Int, liveByteCount: Int, limit: Int)
    case kernel(operation: String, reason: String)
    case noConvergence(operation: String, detail: String)
    /// The address space is too small for what each thread takes of it.
    case noRoomForThreads(wanted: Int, room: Int)

    public var code: String {
        switch self {
        case .shapeMismatch: "tensor.shapeMismatch"
        case .typeMismatch: "tensor.typeMismatch"
        case .indexOutOfRange: "tensor.indexOutOfRange"
        case .invalidArgument: "tensor.invalidArgument"
        case .outOfMemory: "tensor.outOfMemory"
        case .kernel: "tensor.kernel"
        case .noConvergence: "tensor.noConvergence"
        case .noRoomForThreads: "tensor.noRoomForThreads"
        }
    }

    public var description: String {
        switch self {
        case .shapeMismatch(let operation, let detail), .invalidArgument(let operation, let detail),
            .noConvergence(let operation, let detail):
            "\(operation): \(detail)"
        case .typeMismatch(let operation, let expected, let got):
            "\(operation): needs \(expected) elements, but got \(got)"
        case .indexOutOfRange(let operation, let what, let index, let count):
            "\(operation): \(what) \(index) is out of range 0..<\(count)"
        case .outOfMemory(let bytes, let live, let limit):
            "out of memory: \(DecimalText.bytes(bytes)) more were asked for with \(DecimalText.bytes(live)) in use; "
                + "the limit is \(DecimalText.bytes(limit))"
        case .kernel(let operation, let reason): "\(operation): \(reason)"
        case .noRoomForThreads(let wanted, let room):
            "no room for \(wanted) threads: each needs \(DecimalText.bytes(ThreadRoom.byteCountPerThread)) of the address space, "
                + "which has room for \(room) (ulimit -v)"
        }
    }
}
