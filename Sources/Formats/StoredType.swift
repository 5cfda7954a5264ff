package import Tensors

/// The types of numbers that files hold, and how they become elements of tensors.
package enum StoredType: Sendable {
    case float16, bfloat16, float32, float64
    /// A byte that is 0 for false.
    case bool
    case uint8, int8, uint16, int16, uint32, int32, uint64, int64

    /// How elements of a tensor are written.
    package init(_ dtype: DType) {
        switch dtype {
        case .float32: self = .float32
        case .int64: self = .int64
        case .uint8: self = .uint8
        }
    }

    package var byteCount: Int {
        switch self {
        case .bool, .uint8, .int8: 1
        case .float16, .bfloat16, .uint16, .int16: 2
        case .float32, .uint32, .int32: 4
        case .float64, .uint64, .int64: 8
        }
    }

    /// The smallest type of tensors that takes the numbers: float32 for those with fractions, uint8 for bytes and truth
    /// values, int64 for the rest.
    package var dtype: DType {
        switch self {
        case .float16, .bfloat16, .float32, .float64: .float32
        case .bool, .uint8: .uint8
        case .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: .int64
        }
    }

    /// Bytes converted at a time, so that they take little memory beside the tensor.
    private static let chunk = 1 << 18

    /// The next elements of `input` as a tensor, in the order they come; what needs no change is read straight into the
    /// tensor's memory. The machine is little-endian.
    /// - Parameter dtype: that of the tensor: `self.dtype`, or int64 for bytes and truth values.
    /// - Throws: what reading throws; `TensorFailure` for a shape or a memory that there is not.
    package func tensor(
        _ input: inout some ByteSource, shape: Shape, as dtype: DType, order: ByteOrder = .little
    ) throws -> Tensor {
        let result = try Tensor(uninitialized: shape, dtype: dtype)
        let total = result.elementCount * byteCount
        guard StoredType(dtype) != self || order == .big && byteCount > 1 else {
            try withExtendedLifetime(result.storage) {
                try input.read(into: UnsafeMutableRawBufferPointer(start: result.rawBase, count: total), "the elements")
            }
            return result
        }
        var buffer = [UInt8](repeating: 0, count: min(Self.chunk, total))
        var done = 0
        while done < total {
            let count = min(Self.chunk, total - done)
            try buffer.withUnsafeMutableBytes { bytes in
                let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                try input.read(into: piece, "the elements")
                try convert(UnsafeRawBufferPointer(piece), into: result, from: done / byteCount, isSwapped: order == .big)
            }
            done += count
        }
        return result
    }

    private func convert(_ bytes: UnsafeRawBufferPointer, into result: Tensor, from start: Int, isSwapped: Bool) throws {
        /// Not generic over where the bytes come from, so that each pair of types is a loop of its own.
        func fill<Raw: FixedWidthInteger & BitwiseCopyable, Element: TensorElement>(
            _: Raw.Type, _ change: (Raw) -> Element
        ) throws {
            let count = bytes.count / MemoryLayout<Raw>.size
            try result.withMutableElements(of: Element.self) { elements in
                for i in 0..<count {
                    let raw = bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<Raw>.size, as: Raw.self)
                    elements[start + i] = change(isSwapped ? raw.byteSwapped : raw)
                }
            }
        }
        switch (self, result.dtype) {
        case (.float16, _): try fill(UInt16.self) { Float(Float16(bitPattern: $0)) }
        case (.bfloat16, _): try fill(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        case (.float32, _): try fill(UInt32.self) { Float(bitPattern: $0) }
        case (.float64, _): try fill(UInt64.self) { Float(Double(bitPattern: $0)) }
        case (.bool, .uint8): try fill(UInt8.self) { $0 == 0 ? 0 : 1 as UInt8 }
        case (.bool, _): try fill(UInt8.self) { $0 == 0 ? 0 : 1 as Int64 }
        case (.uint8, .uint8): try fill(UInt8.self) { $0 }
        case (.uint8, _): try fill(UInt8.self) { Int64($0) }
        case (.int8, _): try fill(Int8.self) { Int64($0) }
        case (.uint16, _): try fill(UInt16.self) { Int64($0) }
        case (.int16, _): try fill(Int16.self) { Int64($0) }
        case (.uint32, _): try fill(UInt32.self) { Int64($0) }
        case (.int32, _): try fill(Int32.self) { Int64($0) }
        case (.uint64, _): try fill(UInt64.self) { Int64(truncatingIfNeeded: $0) }
        case (.int64, _): try fill(Int64.self) { $0 }
        }
    }
}
