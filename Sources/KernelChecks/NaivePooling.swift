package import Tensors

/// The definition of pooling and of its gradient, as loops in double precision. Of equal values the last is the maximum.
package struct NaivePooling {
    package var y: [Double]
    package var dx: [Double]

    package init(_ geometry: PoolingGeometry, input: Shape, output: Shape, x: [Double], dy: [Double]) {
        y = [Double](repeating: 0, count: dy.count)
        dx = [Double](repeating: 0, count: x.count)
        for at in dy.indices {
            let (plane, p, q) = (at / (output[2] * output[3]), at / output[3] % output[2], at % output[3])
            var inside: [Int] = []
            for i in 0..<geometry.window[0] {
                for j in 0..<geometry.window[1] {
                    let row = p * geometry.stride[0] - geometry.padding[0] + i
                    let column = q * geometry.stride[1] - geometry.padding[1] + j
                    guard row >= 0, row < input[2], column >= 0, column < input[3] else { continue }
                    inside.append((plane * input[2] + row) * input[3] + column)
                }
            }
            if geometry.kind == .max, let best = inside.max(by: { x[$0] < x[$1] }) {
                y[at] = x[best]
                dx[best] += dy[at]
            } else {
                let count = Double(geometry.kind == .average ? inside.count : geometry.window[0] * geometry.window[1])
                for place in inside {
                    y[at] += x[place] / count
                    dx[place] += dy[at] / count
                }
            }
        }
    }
}
