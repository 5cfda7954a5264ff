/// Reductions over vectors with several accumulators, because float addition does not reorder by itself.
package enum Vectors {
    package static func sum(_ x: UnsafeBufferPointer<Float>) -> Double {
        var lanes = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= x.count {
            lanes += SIMD8<Double>(UnsafeRawPointer(x.baseAddress! + i).loadUnaligned(as: SIMD8<Float>.self))
            i += 8
        }
        var total = lanes.sum()
        while i < x.count {
            total += Double(x[i])
            i += 1
        }
        return total
    }

    /// Σ xᵢ yᵢ in double precision.
    package static func dot(_ x: UnsafeBufferPointer<Float>, _ y: UnsafeBufferPointer<Float>) -> Double {
        var lanes = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= x.count {
            let a = SIMD8<Double>(UnsafeRawPointer(x.baseAddress! + i).loadUnaligned(as: SIMD8<Float>.self))
            let b = SIMD8<Double>(UnsafeRawPointer(y.baseAddress! + i).loadUnaligned(as: SIMD8<Float>.self))
            lanes += a * b
            i += 8
        }
        var total = lanes.sum()
        while i < x.count {
            total += Double(x[i]) * Double(y[i])
            i += 1
        }
        return total
    }

    /// Columns that are summed side by side, on the stack.
    static let stretch = 256

    /// Gives the sums of `width` columns, at most `stretch`, over rows that lie `apart` floats from each other.
    static func sumRows(
        _ x: UnsafePointer<Float>, rows: Int, apart: Int, width: Int, _ give: (Int, Double) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { totals in
            for i in 0..<width { totals.initializeElement(at: i, to: 0) }
            for row in 0..<rows {
                let from = x + row * apart
                for i in 0..<width { totals[i] += Double(from[i]) }
            }
            for i in 0..<width { give(i, totals[i]) }
        }
    }
}
