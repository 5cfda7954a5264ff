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

    var byteCount: Int {
        switch self {
        case .bool, .uint8, .int8: 1
        case .float16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64: 8
        }
    }

    /// The type of the tensor that is made of the elements.
    var dtype: DType {
        switch self {
        case .float16, .float32, .float64: .float32
        case .bool, .uint8: .uint8
        case .int8, .int16, .uint16, .int32, .uint32, .int64: .int64
        }
    }

    /// Elements read at a time, so that what is converted takes little memory beside the tensor.
    private static let chunk = 1 << 16

    /// The next elements of `input` as a tensor of `shape`, in the order they come.
    func tensor(_ input: inout some ByteSource, _ shape: Shape, isBigEndian: Bool) throws -> Tensor {
        let result = try Tensor(uninitialized: shape, dtype: dtype)
        switch self {
        case .float16: try fill(result, &input, UInt16.self, isBigEndian) { Float(Float16(bitPattern: $0)) }
        case .float32: try fill(result, &input, UInt32.self, isBigEndian) { Float(bitPattern: $0) }
        case .float64: try fill(result, &input, UInt64.self, isBigEndian) { Float(Double(bitPattern: $0)) }
        case .bool: try fill(result, &input, UInt8.self, isBigEndian) { $0 == 0 ? 0 : 1 as UInt8 }
        case .uint8: try fill(result, &input, UInt8.self, isBigEndian) { $0 }
        case .int8: try fill(result, &input, Int8.self, isBigEndian) { Int64($0) }
        case .int16: try fill(result, &input, Int16.self, isBigEndian) { Int64($0) }
        case .uint16: try fill(result, &input, UInt16.self, isBigEndian) { Int64($0) }
        case .int32: try fill(result, &input, Int32.self, isBigEndian) { Int64($0) }
        case .uint32: try fill(result, &input, UInt32.self, isBigEndian) { Int64($0) }
        case .int64: try fill(result, &input, Int64.self, isBigEndian) { $0 }
        }
        return result
    }

    private func fill<Raw: FixedWidthInteger & BitwiseCopyable, Element: TensorElement>(
        _ result: Tensor, _ input: inout some ByteSource, _: Raw.Type, _ isBigEndian: Bool, _ change: (Raw) -> Element
    ) throws {
        var buffer = [Raw](repeating: 0, count: min(Self.chunk, result.elementCount))
        var start = 0
        while start < result.elementCount {
            let count = min(Self.chunk, result.elementCount - start)
            try buffer.withUnsafeMutableBytes {
                try input.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<(count * MemoryLayout<Raw>.size)]), "the elements")
            }
            try result.withMutableElements(of: Element.self) { elements in
                for i in 0..<count { elements[start + i] = change(isBigEndian ? Raw(bigEndian: buffer[i]) : buffer[i]) }
            }
            start += count
        }
    }
}
