import Tensors

/// The element types of npy files that are read: those that tensors have, and those that become one of them.
enum NPYType: String, CaseIterable {
    case float16 = "f2"
    case float32 = "f4"
    case float64 = "f8"
    case bool = "b1"
    case uint8 = "u1"
    case int8 = "i1"
    case int16 = "i2"
    case uint16 = "u2"
    case int32 = "i4"
    case uint32 = "u4"
    case int64 = "i8"

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    init(_ dtype: DType) {
        switch dtype {
        case .float32: self = .float32
        case .int64: self = .int64
        case .uint8: self = .uint8
        }
    }

    var stored: StoredType {
        switch self {
        case .float16: .float16
        case .float32: .float32
        case .float64: .float64
        case .bool: .bool
        case .uint8: .uint8
        case .int8: .int8
        case .int16: .int16
        case .uint16: .uint16
        case .int32: .int32
        case .uint32: .uint32
        case .int64: .int64
        }
    }
}
