package import Tensors

/// A convolution: shapes and geometry.
package struct ConvolutionCase: Sendable {
    package let input: Shape
    package let weight: Shape
    package var geometry: ConvolutionGeometry
    package var hasBias: Bool

    package init(input: Shape, weight: Shape, geometry: ConvolutionGeometry = .init(), hasBias: Bool = true) {
        self.input = input
        self.weight = weight
        self.geometry = geometry
        self.hasBias = hasBias
    }

    package var description: String {
        let g = geometry
        return "\(input) * \(weight) stride \(g.stride) padding \(g.padding) dilation \(g.dilation) groups \(g.groups)"
            + (hasBias ? " with bias" : "")
    }
}

/// The definition of convolution and of its gradients, as loops in double precision.
package struct NaiveConvolution {
    package var y: [Double]
    package var dx: [Double]
    package var dw: [Double]
    package var db: [Double]

    package init(_ c: ConvolutionCase, output: Shape, x: [Double], w: [Double], b: [Double]?, dy: [Double]) {
        let (g, channels, width) = (c.geometry, c.weight[1], c.input[3])
        (y, dx) = ([Double](repeating: 0, count: dy.count), [Double](repeating: 0, count: x.count))
        (dw, db) = ([Double](repeating: 0, count: w.count), [Double](repeating: 0, count: c.weight[0]))
        var at = 0
        for n in 0..<output[0] {
            for o in 0..<output[1] {
                for p in 0..<output[2] {
                    for q in 0..<output[3] {
                        y[at] = b?[o] ?? 0
                        db[o] += dy[at]
                        for m in 0..<channels {
                            for i in 0..<c.weight[2] {
                                for j in 0..<c.weight[3] {
                                    let row = p * g.stride[0] - g.padding[0] + i * g.dilation[0]
                                    let column = q * g.stride[1] - g.padding[1] + j * g.dilation[1]
                                    guard row >= 0, row < c.input[2], column >= 0, column < width else { continue }
                                    let channel = o / (c.weight[0] / g.groups) * channels + m
                                    let source = ((n * c.input[1] + channel) * c.input[2] + row) * width + column
                                    let tap = ((o * channels + m) * c.weight[2] + i) * c.weight[3] + j
                                    y[at] += x[source] * w[tap]
                                    dx[source] += dy[at] * w[tap]
                                    dw[tap] += dy[at] * x[source]
                                }
                            }
                        }
                        at += 1
                    }
                }
            }
        }
    }
}
