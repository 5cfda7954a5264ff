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

    /// Bytes an element takes in the file.
    var byteCount: Int {
        switch self {
        case .uint8: 1
        case .float16, .bfloat16: 2
        case .float32, .int32: 4
        case .int64, .float64: 8
        }
    }

    /// The type of the tensor that is made of the elements.
    var dtype: DType {
        switch self {
        case .float32, .float16, .bfloat16, .float64: .float32
        case .int64, .int32: .int64
        case .uint8: .uint8
        }
    }

    /// Makes a tensor of `bytes`, whose number fits `shape`. The machine is little-endian, as the file is.
    func tensor(_ bytes: UnsafeRawBufferPointer, shape: Shape) throws -> Tensor {
        let result = try Tensor(uninitialized: shape, dtype: dtype)
        switch self {
        case .float32, .int64, .uint8:
            if let start = bytes.baseAddress { result.rawBase.copyMemory(from: start, byteCount: bytes.count) }
        case .float16: try fill(result, bytes, UInt16.self) { Float(Float16(bitPattern: $0)) }
        case .bfloat16: try fill(result, bytes, UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        case .float64: try fill(result, bytes, Double.self) { Float($0) }
        case .int32: try fill(result, bytes, Int32.self) { Int64($0) }
        }
        return result
    }

    private func fill<Raw: BitwiseCopyable, Element: TensorElement>(
        _ result: Tensor, _ bytes: UnsafeRawBufferPointer, _: Raw.Type, _ change: (Raw) -> Element
    ) throws {
        try result.withMutableElements(of: Element.self) { elements in
            for i in elements.indices {
                elements[i] = change(bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<Raw>.size, as: Raw.self))
            }
        }
    }
}
