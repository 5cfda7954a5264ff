public import Basics

/// What can be wrong with a data set, or with how batches are asked of it.
public enum DatasetFailure: Failure {
    /// A file of the data set is not there; `hint` says where to get it.
    case missingFile(dataset: String, path: String, hint: String)
    /// Images, labels or figures that do not belong together.
    case inconsistent(dataset: String, detail: String)
    /// A label that names no class.
    case labelOutOfRange(dataset: String, index: Int, label: Int, classCount: Int)
    /// An image that the data set does not have.
    case indexOutOfRange(operation: String, index: Int, count: Int)
    /// A part that cannot be taken.
    case invalidSplit(dataset: String, detail: String)
    /// An option beyond its range.
    case invalidOption(option: String, detail: String)
    /// The system gives no thread to make batches ahead on.
    case noThread(reason: String)

    public var code: String {
        switch self {
        case .missingFile: "dataset.missingFile"
        case .inconsistent: "dataset.inconsistent"
        case .labelOutOfRange: "dataset.labelOutOfRange"
        case .indexOutOfRange: "dataset.indexOutOfRange"
        case .invalidSplit: "dataset.invalidSplit"
        case .invalidOption: "dataset.invalidOption"
        case .noThread: "dataset.noThread"
        }
    }

    public var description: String {
        switch self {
        case .missingFile(let dataset, let path, let hint): "\(dataset): there is no \(path); \(hint)"
        case .inconsistent(let dataset, let detail), .invalidSplit(let dataset, let detail): "\(dataset): \(detail)"
        case .labelOutOfRange(let dataset, let index, let label, let count):
            "\(dataset): image \(index) has the label \(label), which is out of range 0..<\(count)"
        case .indexOutOfRange(let operation, let index, let count):
            "\(operation): image \(index) is out of range 0..<\(count)"
        case .invalidOption(let option, let detail): "\(option): \(detail)"
        case .noThread(let reason): "prefetch: no thread could be started: \(reason)"
        }
    }
}
