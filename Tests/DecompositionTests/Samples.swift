import Basics
import Decomposition
import Tensors

/// A seeded normal tensor.
func sample(_ shape: Shape, seed: UInt64 = 1) throws -> Tensor {
    var random = RandomSource(seed: seed)
    return try .normal(shape, using: &random)
}

/// A tensor whose unfoldings have quickly falling spectra, like a trained weight's: a sum of `terms` outer products,
/// each a third weaker than the one before.
func compressibleSample(_ shape: Shape, terms: Int = 12, seed: UInt64 = 1) throws -> Tensor {
    var random = RandomSource(seed: seed)
    var sum = try Tensor.zeros(shape)
    for term in 0..<terms {
        var product = try Tensor.full([], 1)
        for (d, extent) in shape.dims.enumerated() {
            var dims = [Int](repeating: 1, count: shape.rank)
            dims[d] = extent
            product = try product.multiplying(.normal(Shape(dims), using: &random))
        }
        let weight = (0..<term).reduce(1.0) { value, _ in value * 0.67 }
        sum = try sum.adding(product.multiplying(weight))
    }
    return sum
}

/// ‖a − b‖ / ‖b‖.
func relativeDistance(_ a: Tensor, _ b: Tensor) throws -> Double {
    let norm = try b.norm()
    let distance = try a.subtracting(b).norm()
    return norm > 0 ? distance / norm : distance
}

/// The relative error of the best approximation of the unfolding [n_1⋯n_{k+1}, rest] by a matrix of `rank`
/// (Eckart–Young), from an SVD of that unfolding alone.
func unfoldingError(_ tensor: Tensor, bond: Int, rank: Int) throws -> Double {
    let rows = tensor.shape.dims[...bond].reduce(1, *)
    let values = try tensor.reshaped([rows, -1]).singularValueDecomposition().values
    let energies = values.map { $0 * $0 }
    return (energies.dropFirst(rank).reduce(0, +) / energies.reduce(0, +)).squareRoot()
}

/// ‖Ŵ − W‖ / ‖W‖ of a train's cores as they are: products and sums in double precision.
func preciseDistance(_ train: TensorTrain, _ tensor: Tensor) throws -> Double {
    var product = try PreciseMatrix(.ones([1]), rows: 1, columns: 1)
    for core in train.cores {
        let next = try PreciseMatrix(core, rows: core.shape[0], columns: core.shape[1] * core.shape[2])
        product = try product.product(next).reshaped(rows: product.rows * core.shape[1], columns: core.shape[2])
    }
    let values = try tensor.array(of: Float.self)
    let apart = product.withElements { elements in
        elements.indices.reduce(0.0) { $0 + (elements[$1] - Double(values[$1])) * (elements[$1] - Double(values[$1])) }
    }
    return (apart / values.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
}

/// float32 keeps 24 bits; factorisations of a few hundred terms lose one to two decimal digits of that.
let exactness = 1e-5
/// Two ways to the same number in float32, compared as a difference of relative errors.
let roundingSlack = 3e-6
