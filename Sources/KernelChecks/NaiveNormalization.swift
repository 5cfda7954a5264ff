package import Tensors

/// The definition of batch normalisation with the statistics of the batch, and its gradient, per channel in double
/// precision.
package struct NaiveNormalization {
    package var (y, dx, dScale, dShift, mean, variance) = ([Double](), [Double](), [Double](), [Double](), [Double](), [Double]())

    package var dResidual = [Double]()

    package init(
        _ shape: Shape, x: [Double], scale: [Double], shift: [Double], residual: [Double]? = nil, dy: [Double],
        epsilon: Double, hasReLU: Bool
    ) {
        let (n, c, area) = (shape[0], shape[1], shape[2] * shape[3])
        y = x
        dx = x
        dResidual = dy
        for channel in 0..<c {
            let places = (0..<n).flatMap { image in (0..<area).map { (image * c + channel) * area + $0 } }
            let count = Double(places.count)
            let m = places.reduce(0) { $0 + x[$1] } / count
            let v = places.reduce(0) { $0 + (x[$1] - m) * (x[$1] - m) } / count
            let inverse = 1 / (v + epsilon).squareRoot()
            for i in places { y[i] = scale[channel] * (x[i] - m) * inverse + shift[channel] + (residual?[i] ?? 0) }
            // ReLU lets the gradient through where its input is positive.
            let gradient = Dictionary(uniqueKeysWithValues: places.map { ($0, hasReLU && y[$0] <= 0 ? 0 : dy[$0]) })
            for i in places { dResidual[i] = gradient[i]! }
            let dShift = places.reduce(0) { $0 + gradient[$1]! }
            let dScale = places.reduce(0) { $0 + gradient[$1]! * (x[$1] - m) * inverse }
            for i in places {
                dx[i] = scale[channel] * inverse * (gradient[i]! - dShift / count - (x[i] - m) * inverse * dScale / count)
            }
            if hasReLU { for i in places { y[i] = max(0, y[i]) } }
            self.dShift.append(dShift)
            self.dScale.append(dScale)
            mean.append(m)
            variance.append(v)
        }
    }
}
