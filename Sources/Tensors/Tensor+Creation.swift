public import Basics

extension Tensor {
    /// A tensor of `elements` in row-major order.
    /// - Throws: `shapeMismatch` when their number is not that of `shape`.
    public init<Element: TensorElement>(_ elements: [Element], shape: Shape? = nil) throws {
        let shape = shape ?? [elements.count]
        try self.init(uninitialized: shape, dtype: Element.dtype)
        guard elements.count == shape.elementCount else {
            throw TensorFailure.shapeMismatch(
                operation: "tensor", detail: "\(elements.count) elements do not fill the shape \(shape)")
        }
        try withMutableElements(of: Element.self) { target in _ = target.update(fromContentsOf: elements) }
    }

    public static func zeros(_ shape: Shape, dtype: DType = .float32) throws -> Tensor {
        try full(shape, 0, dtype: dtype)
    }

    public static func ones(_ shape: Shape, dtype: DType = .float32) throws -> Tensor {
        try full(shape, 1, dtype: dtype)
    }

    /// 0, 1, …, count − 1 as int64.
    public static func range(_ count: Int) throws -> Tensor {
        let result = try Tensor(uninitialized: [max(0, count)], dtype: .int64)
        try result.withMutableElements(of: Int64.self) { for i in $0.indices { $0[i] = Int64(i) } }
        return result
    }

    /// The identity matrix [n, n].
    public static func identity(_ n: Int) throws -> Tensor {
        let result = try zeros([n, n])
        try result.withMutableElements(of: Float.self) { for i in 0..<n { $0[i * n + i] = 1 } }
        return result
    }

    /// Standard normal values times `deviation` plus `mean`.
    public static func normal(
        _ shape: Shape, mean: Float = 0, deviation: Float = 1, using random: inout RandomSource
    ) throws -> Tensor {
        let result = try Tensor(uninitialized: shape)
        try result.withMutableElements(of: Float.self) {
            for i in $0.indices { $0[i] = mean + deviation * random.normal() }
        }
        return result
    }

    /// Uniform values in [low, high).
    public static func uniform(
        _ shape: Shape, low: Float = 0, high: Float = 1, using random: inout RandomSource
    ) throws -> Tensor {
        let result = try Tensor(uninitialized: shape)
        try result.withMutableElements(of: Float.self) {
            for i in $0.indices { $0[i] = low + (high - low) * random.uniform() }
        }
        return result
    }

    /// The numbers 0 ..< count in random order, as int64.
    public static func permutation(_ count: Int, using random: inout RandomSource) throws -> Tensor {
        let result = try range(count)
        try result.withMutableElements(of: Int64.self) { elements in
            var order = elements
            order.shuffle(using: &random)
        }
        return result
    }

    /// The same values as another type. Fractions are cut off; values that do not fit are refused.
    public func converted(to target: DType) throws -> Tensor {
        if target == dtype { return self }
        let result = try Tensor(uninitialized: shape, dtype: target)
        switch (dtype, target) {
        case (.uint8, .float32): try convert(UInt8.self, into: result) { Float($0) }
        case (.uint8, .int64): try convert(UInt8.self, into: result) { Int64($0) }
        case (.int64, .float32): try convert(Int64.self, into: result) { Float($0) }
        case (.int64, .uint8): try convert(Int64.self, into: result) { try TensorScalar.whole($0).exactly("convert") as UInt8 }
        case (.float32, .int64): try convert(Float.self, into: result) { try TensorScalar.real(Double($0.rounded(.towardZero))).exactly("convert") as Int64 }
        case (.float32, .uint8): try convert(Float.self, into: result) { try TensorScalar.real(Double($0.rounded(.towardZero))).exactly("convert") as UInt8 }
        default: break
        }
        return result
    }

    private func convert<From: TensorElement, To: TensorElement>(
        _: From.Type, into result: Tensor, _ change: (From) throws -> To
    ) throws {
        try withElements(of: From.self) { source in
            try result.withMutableElements(of: To.self) { target in
                for i in source.indices { target[i] = try change(source[i]) }
            }
        }
    }
}
