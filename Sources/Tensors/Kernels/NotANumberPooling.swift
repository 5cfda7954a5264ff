/// What oneDNN's maximum pooling leaves out: it passes over a not-a-number, where the maximum is one.
enum NotANumberPooling {
    /// `y`, the pooled activation of `x`, with a not-a-number for every window that holds one.
    static func spread(_ x: Tensor, over y: Tensor, _ geometry: PoolingGeometry) throws -> Tensor {
        let (source, result) = (try x.copy(), try y.copy())
        let (h, w, p, q) = (x.shape[2], x.shape[3], y.shape[2], y.shape[3])
        withExtendedLifetime((source.storage, result.storage)) {
            let (from, to) = (source.base(Float.self), result.base(Float.self))
            parallelFor(x.shape[0] * x.shape[1], grain: 1) {
                for plane in $0 {
                    for row in 0..<h {
                        for column in 0..<w where from[(plane * h + row) * w + column].isNaN {
                            for i in windows(row, geometry, 0, count: p) {
                                for j in windows(column, geometry, 1, count: q) { to[(plane * p + i) * q + j] = .nan }
                            }
                        }
                    }
                }
            }
        }
        return try result.inFormat(.blocked)
    }

    /// The windows along `axis` that reach element `index`.
    private static func windows(_ index: Int, _ geometry: PoolingGeometry, _ axis: Int, count: Int) -> Range<Int> {
        let place = index + geometry.padding[axis]
        let (window, stride) = (geometry.window[axis], geometry.stride[axis])
        let first = place < window ? 0 : (place - window) / stride + 1
        let end = min(count, place / stride + 1)
        return min(first, end)..<end
    }
}
