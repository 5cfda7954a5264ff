import Basics

extension Tensor: CustomStringConvertible {
    /// One line: type, shape and, for floats, the range and mean of the values.
    public var description: String {
        let head = "Tensor \(dtype) \(shape)"
        guard elementCount > 0 else { return head + " (empty)" }
        if elementCount == 1, let value = try? element() { return "\(head) \(Self.text(value))" }
        guard dtype == .float32, let low = try? smallest(), let high = try? largest(), let mean = try? average() else {
            return head
        }
        let figures = [("min", low), ("max", high), ("mean", mean)]
        return head + " " + figures.map { "\($0.0) \(DecimalText.significant($0.1))" }.joined(separator: " ")
    }

    /// The values as nested rows, cut to the first and last few of each dimension.
    public func formattedValues(edge: Int = 3) throws -> String {
        let values: [TensorScalar] =
            switch dtype {
            case .float32: try array(of: Float.self).map { .real(Double($0)) }
            case .int64: try array(of: Int64.self).map { .whole($0) }
            case .uint8: try array(of: UInt8.self).map { .whole(Int64($0)) }
            }
        let edge = max(0, min(edge, elementCount))
        func block(_ dim: Int, _ start: Int) -> String {
            guard dim < rank else { return Self.text(values[start]) }
            let size = shape.dims[(dim + 1)...].reduce(1, *)
            let hidden = shape[dim] > 2 * edge
            let indices = hidden ? Array(0..<edge) + Array((shape[dim] - edge)..<shape[dim]) : Array(0..<shape[dim])
            var parts = indices.map { block(dim + 1, start + $0 * size) }
            if hidden { parts.insert("…", at: edge) }
            let separator = dim == rank - 1 ? ", " : ",\n" + String(repeating: " ", count: dim + 1)
            return "[" + parts.joined(separator: separator) + "]"
        }
        return block(0, 0)
    }

    private static func text(_ value: TensorScalar) -> String {
        switch value {
        case .real(let value): DecimalText.significant(value)
        case .whole(let value): "\(value)"
        }
    }
}
