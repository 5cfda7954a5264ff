import Decomposition
import LuaRuntime
import Tensors

/// A convolution over factors of its channels, as scripts hold it.
final class TensorizedConvolutionObject: TrainLayerObject {
    let layer: TensorizedConvolution
    let train: TensorTrainObject

    init(_ layer: TensorizedConvolution, _ train: TensorTrainObject) {
        self.layer = layer
        self.train = train
    }

    var parameterCount: Int { layer.parameterCount }
    func reconstructed() throws -> Tensor { try layer.reconstructed() }
}

/// `TTConvolution` in scripts.
enum TensorizedConvolutionClass {
    static func make() -> LuaClass<TensorizedConvolutionObject> {
        LuaClass("TTConvolution") { members in
            members.addTrainMembers()
            members.text { object in
                "TTConvolution \(object.layer.inputCount) → \(object.layer.outputCount) as \(object.train.train), "
                    + "\(object.layer.parameterCount) parameters"
            }
            members.property("inputs") { $0.layer.inputFactors }
            members.property("outputs") { $0.layer.outputFactors }
            members.method("apply") { call, object in
                TensorObject(try object.layer.applied(to: try call.object(1, "x", as: TensorObject.self).tensor))
            }
            members.method("macs") { call, object in
                try object.layer.macCount(rows: try extent(call, 1, "height"), columns: try extent(call, 2, "width"))
            }
        }
    }

    private static func extent(_ call: borrowing LuaCall, _ position: Int, _ name: String) throws -> Int {
        let value = try call.integer(position, name)
        guard (1...1 << 16).contains(value) else { throw call.invalid(position, name, "must be in 1…65536, got \(value)") }
        return value
    }

    /// `mr.tt.tensorized_convolution(weight, options)`.
    static func decompose(_ call: borrowing LuaCall) throws {
        let weight = try call.object(1, "weight", as: TensorObject.self).tensor
        let options = try call.options(2)
        guard weight.rank == 4, weight.elementCount > 0 else {
            throw call.invalid(1, "weight", "must be [O, C, Kh, Kw], got \(weight.shape)")
        }
        let order = try options.integer("order")
        guard (1...16).contains(order) else { throw options.invalid("order", "must be in 1…16, got \(order)") }
        let inputs = try options.optionalIntegers("inputs") ?? BalancedFactors.of(weight.shape[1], count: order).reversed()
        let outputs = try options.optionalIntegers("outputs") ?? BalancedFactors.of(weight.shape[0], count: order)
        let tensor = try TensorizedConvolution.tensorized(weight, inputFactors: inputs, outputFactors: outputs)
        let truncated = try TrainOptions.read(options).decompose(tensor)
        let layer = try TensorizedConvolution(
            train: truncated.train, inputFactors: inputs, outputFactors: outputs, kernel: [weight.shape[2], weight.shape[3]],
            geometry: try TensorTrainFunctions.geometry(options))
        try call.push(TensorizedConvolutionObject(layer, TensorTrainObject(truncated)))
    }
}
