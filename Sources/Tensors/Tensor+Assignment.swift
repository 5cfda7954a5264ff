extension Tensor {
    /// Copies `source`, of the same shape and type, into the elements that this tensor (a view, usually) sees.
    package func assign(_ source: Tensor) throws {
        guard shape == source.shape, dtype == source.dtype, case .strided(let strides, _) = layout else {
            throw TensorFailure.shapeMismatch(
                operation: "assign", detail: "\(source.dtype) \(source.shape) does not fit \(dtype) \(shape)")
        }
        guard elementCount > 0 else { return }
        let plain = try source.contiguous()
        withExtendedLifetime((storage, plain.storage)) {
            switch dtype {
            case .float32: scatter(plain.base(Float.self), base(), strides)
            case .int64: scatter(plain.base(Int64.self), base(), strides)
            case .uint8: scatter(plain.base(UInt8.self), base(), strides)
            }
        }
    }

    private func scatter<Element>(_ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>, _ strides: [Int]) {
        guard let inner = shape.dims.last, let step = strides.last else { return target.pointee = source.pointee }
        var walker = StridedWalker(dims: Array(shape.dims.dropLast()), strides: [Array(strides.dropLast())])
        var input = source
        repeat {
            let row = target + walker.offsets[0]
            for i in 0..<inner { row[i * step] = input[i] }
            input += inner
        } while walker.advance()
    }
}
