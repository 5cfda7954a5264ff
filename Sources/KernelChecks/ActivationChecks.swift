import COneDNN
import Tensors

extension KernelCheck {
    private static let tolerance = 2e-5

    static func activations() -> [KernelCheck] {
        [normalization(hasResidual: false), normalization(hasResidual: true)]
            + PoolingGeometry.Kind.allCases.map(pooling)
    }

    /// Forward and all gradients, with ReLU behind.
    private static func normalization(hasResidual: Bool) -> KernelCheck {
        check("batch norm\(hasResidual ? " with residual" : ""), ReLU and gradients", within: tolerance) {
            let shape: Shape = [3, 21, 9, 31]
            let (x, dy) = (try normal(shape, seed: 1).multiplying(2).adding(0.5), try normal(shape, seed: 2))
            let (scale, shift) = (try normal([shape[1]], seed: 3), try normal([shape[1]], seed: 4))
            let residual = hasResidual ? try normal(shape, seed: 5) : nil
            let naive = NaiveNormalization(
                shape, x: try x.doubles(), scale: try scale.doubles(), shift: try shift.doubles(),
                residual: try residual?.doubles(), dy: try dy.doubles(), epsilon: Double(Float(1e-5)), hasReLU: true)
            let (y, saved) = try BatchNormalization.forward(
                x, scale: scale, shift: shift, epsilon: 1e-5, residual: residual, hasReLU: true)
            var parts = [dy]
            let gradients = try BatchNormalization.backward(&parts, saved: saved, hasResidual: hasResidual)
            let errors = [
                difference(try y.floats(), naive.y), difference(try gradients.x.floats(), naive.dx),
                difference(try gradients.scale.floats(), naive.dScale),
                difference(try gradients.shift.floats(), naive.dShift),
                difference(try gradients.residual?.floats() ?? [], hasResidual ? naive.dResidual : []),
            ]
            return (errors.max()!, "own:" + NumericLibraries.ownInstructionSet)
        }
    }

    private static func pooling(_ kind: PoolingGeometry.Kind) -> KernelCheck {
        check("pooling, \(kind), and gradient", within: tolerance) {
            let geometry = PoolingGeometry(kind: kind, window: [3, 2], stride: [2, 1], padding: [1, 0, 1, 1])
            let input: Shape = [2, 37, 11, 9]
            let output = try geometry.outputShape(input: input)
            let (x, dy) = (try normal(input, seed: 1), try normal(output, seed: 2))
            let naive = NaivePooling(geometry, input: input, output: output, x: try x.doubles(), dy: try dy.doubles())
            let (y, positions) = try Pooling.forward(x, geometry, training: true)
            let dx = try Pooling.backward(dy, input: input, positions: positions, geometry)
            let kernel = try Pooling.primitive(cod_forward_training, input, geometry, .blocked).implementation
            return (max(difference(try y.floats(), naive.y), difference(try dx.floats(), naive.dx)), kernel)
        }
    }
}
