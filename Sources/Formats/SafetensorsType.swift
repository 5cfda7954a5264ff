import Tensors

/// The element types that are read. Half, brain and double floats become float32, and 32-bit integers int64, which are
/// the types that tensors have.
enum SafetensorsType: String, CaseIterable {
    case float32 = "F32"
    case int64 = "I64"
    case uint8 = "U8"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float64 = "F64"
    case int32 = "I32"

    init(_ dtype: DType) {
        switch dtype {
        case .float32: self = .float32
        case .int64: self = .int64
        case .uint8: self = .uint8
        }
    }

    var stored: StoredType {
        switch self {
        case .float32: .float32
        case .int64: .int64
        case .uint8: .uint8
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .float64: .float64
        case .int32: .int32
        }
    }
}
