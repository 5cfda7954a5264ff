/// Average pooling to a given number of rows and columns; 1×1 is global average pooling.
///
/// Cell (p, q) averages rows ⌊pH/P⌋ ..< ⌈(p+1)H/P⌉ and likewise columns.
package enum AdaptivePooling {
    /// - Shape: [N, C, H, W] to [N, C, P, Q], plain.
    package static func forward(_ x: Tensor, rows: Int, columns: Int) throws -> Tensor {
        try x.requireType(.float32, "adaptive_avg_pool2d")
        let output = try outputShape(x.shape, rows: rows, columns: columns)
        let y = try Tensor(uninitialized: output)
        let source = x.layout == .blocked ? x : try x.contiguous()
        let (h, w, c) = (x.shape[2], x.shape[3], x.shape[1])
        let lanes = source.layout == .blocked ? Layout.channelBlock : 1
        let blocks = (c + lanes - 1) / lanes
        let from = source.base(Float.self)
        let to = y.base(Float.self)
        withExtendedLifetime((source.storage, y.storage)) {
            parallelFor(x.shape[0] * blocks, grain: max(1, 16384 / (h * w * lanes))) { range in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: lanes) { sums in
                    for plane in range {
                        let (image, block) = (plane / blocks, plane % blocks)
                        let used = min(lanes, c - block * lanes)
                        for p in 0..<rows {
                            for q in 0..<columns {
                                sumCell(from + plane * h * w * lanes, h, w, lanes, (p, rows), (q, columns), into: sums)
                                let target = to + ((image * c + block * lanes) * rows + p) * columns + q
                                for lane in 0..<used { target[lane * rows * columns] = sums[lane] }
                            }
                        }
                    }
                }
            }
        }
        return y
    }

    /// Spreads each output gradient evenly over its cell.
    package static func backward(_ dy: Tensor, input: Shape) throws -> Tensor {
        let (rows, columns) = (dy.shape[2], dy.shape[3])
        let dx = try Tensor.zeros(input)
        let gradient = try dy.contiguous()
        let (h, w) = (input[2], input[3])
        let from = gradient.base(Float.self)
        let to = dx.base(Float.self)
        withExtendedLifetime((gradient.storage, dx.storage)) {
            parallelFor(input[0] * input[1], grain: max(1, 16384 / (h * w))) { range in
                for plane in range {
                    for p in 0..<rows {
                        let y = cell(p, of: rows, over: h)
                        for q in 0..<columns {
                            let x = cell(q, of: columns, over: w)
                            let share = from[(plane * rows + p) * columns + q] / Float(y.count * x.count)
                            for i in y { for j in x { to[(plane * h + i) * w + j] += share } }
                        }
                    }
                }
            }
        }
        return dx
    }

    package static func outputShape(_ input: Shape, rows: Int, columns: Int) throws -> Shape {
        guard input.rank == 4, rows >= 1, columns >= 1, rows <= max(1, input[2]), columns <= max(1, input[3]),
            input[2] >= 1, input[3] >= 1
        else {
            throw TensorFailure.shapeMismatch(
                operation: "adaptive_avg_pool2d", detail: "input \(input) cannot be pooled to \(rows)×\(columns)")
        }
        return [input[0], input[1], rows, columns]
    }

    private static func cell(_ index: Int, of count: Int, over extent: Int) -> Range<Int> {
        index * extent / count..<((index + 1) * extent + count - 1) / count
    }

    private static func sumCell(
        _ plane: UnsafePointer<Float>, _ h: Int, _ w: Int, _ lanes: Int, _ row: (Int, Int), _ column: (Int, Int),
        into sums: UnsafeMutableBufferPointer<Float>
    ) {
        sums.update(repeating: 0)
        let rows = cell(row.0, of: row.1, over: h)
        let columns = cell(column.0, of: column.1, over: w)
        let scale = 1 / Float(rows.count * columns.count)
        for i in rows {
            for j in columns {
                let pixel = plane + (i * w + j) * lanes
                for lane in 0..<lanes { sums[lane] += pixel[lane] }
            }
        }
        for lane in 0..<lanes { sums[lane] *= scale }
    }
}
