import Decomposition
import LuaRuntime
import Tensors

/// A TT-matrix as scripts hold it.
final class TensorTrainMatrixObject: TrainLayerObject {
    let matrix: TensorTrainMatrix
    let train: TensorTrainObject

    init(_ matrix: TensorTrainMatrix, _ train: TensorTrainObject) {
        self.matrix = matrix
        self.train = train
    }

    var parameterCount: Int { matrix.parameterCount }
    func reconstructed() throws -> Tensor { try matrix.reconstructed() }
}

/// `TTMatrix` in scripts.
enum TensorTrainMatrixClass {
    static func make() -> LuaClass<TensorTrainMatrixObject> {
        LuaClass("TTMatrix") { members in
            members.addTrainMembers()
            members.text { object in
                "TTMatrix [\(object.matrix.outputCount), \(object.matrix.inputCount)] as \(object.train.train), "
                    + "\(object.matrix.parameterCount) parameters"
            }
            members.property("rows") { $0.matrix.outputFactors }
            members.property("columns") { $0.matrix.inputFactors }
            members.method("order") { call, object in
                let batch = try call.integer(1, "batch")
                guard (1...1 << 30).contains(batch) else { throw call.invalid(1, "batch", "must be positive, got \(batch)") }
                return object.matrix.order(batch: batch).rawValue
            }
            members.method("apply") { call, object in
                let x = try call.object(1, "x", as: TensorObject.self).tensor
                let options = try call.options(2)
                let orders = [TensorTrainMatrix.Order.factorized, .reconstructed].map(\.rawValue)
                let order = try options.choice("order", among: orders + ["auto"])
                return TensorObject(try object.matrix.applied(to: x, order: TensorTrainMatrix.Order(rawValue: order)))
            }
        }
    }

    /// `mr.tt.matrix(weight, options)`.
    static func decompose(_ call: borrowing LuaCall) throws {
        let weight = try call.object(1, "weight", as: TensorObject.self).tensor
        let options = try call.options(2)
        guard weight.rank == 2 else { throw call.invalid(1, "weight", "must be a matrix [O, I], got \(weight.shape)") }
        let (rows, columns) = (try options.optionalIntegers("rows"), try options.optionalIntegers("columns"))
        let order = try options.optionalInteger("order") ?? rows?.count ?? columns?.count ?? 2
        guard (1...16).contains(order) else { throw options.invalid("order", "must be in 1…16, got \(order)") }
        let outputs = try rows ?? BalancedFactors.of(weight.shape[0], count: order)
        // The largest factor of one side stands beside the smallest of the other, so that the modes are alike.
        let inputs = try columns ?? BalancedFactors.of(weight.shape[1], count: order).reversed()
        let tensor = try TensorTrainMatrix.tensorized(weight, outputFactors: outputs, inputFactors: inputs)
        let truncated = try TrainOptions.read(options).decompose(tensor)
        let matrix = try TensorTrainMatrix(train: truncated.train, outputFactors: outputs, inputFactors: inputs)
        try call.push(TensorTrainMatrixObject(matrix, TensorTrainObject(truncated)))
    }
}
