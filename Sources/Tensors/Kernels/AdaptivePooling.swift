import CKernels

/// Average pooling to a given number of rows and columns; 1×1 is global average pooling.
///
/// Cell (p, q) averages rows ⌊pH/P⌋ ..< ⌈(p+1)H/P⌉ and likewise columns.
package enum AdaptivePooling {
    /// - Shape: [N, C, H, W] to [N, C, P, Q], plain.
    package static func forward(_ x: Tensor, rows: Int, columns: Int) throws -> Tensor {
        try x.requireType(.float32, "adaptive_avg_pool2d")
        let y = try Tensor(uninitialized: outputShape(x.shape, rows: rows, columns: columns))
        forward(try x.inFormat(.blocked), into: y)
        return y
    }

    /// The same from a blocked tensor into a plain one.
    package static func forward(_ x: Tensor, into y: Tensor) {
        let (h, w, c, lanes) = (x.shape[2], x.shape[3], x.shape[1], Layout.channelBlock)
        let (rows, columns) = (y.shape[2], y.shape[3])
        let blocks = (c + lanes - 1) / lanes
        let (from, to) = (x.base(Float.self), y.base(Float.self))
        withExtendedLifetime((x.storage, y.storage)) {
            parallelFor(x.shape[0] * blocks, grain: max(1, Elementwise.grain / max(1, h * w * lanes))) { range in
                for plane in range {
                    let (image, block) = (plane / blocks, plane % blocks)
                    ck_adaptive_pool(
                        from + plane * h * w * lanes, h, w, Int32(lanes), rows, columns,
                        Int32(min(lanes, c - block * lanes)), to + (image * c + block * lanes) * rows * columns)
                }
            }
        }
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
}
