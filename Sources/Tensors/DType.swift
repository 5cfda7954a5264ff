/// The type of a tensor's elements.
public enum DType: String, Sendable, CaseIterable {
    case float32, int64, uint8

    /// Bytes an element takes.
    public var byteCount: Int {
        switch self {
        case .float32: 4
        case .int64: 8
        case .uint8: 1
        }
    }
}

/// A Swift type that can be a tensor's element.
public protocol TensorElement: Sendable {
    static var dtype: DType { get }
}

extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
