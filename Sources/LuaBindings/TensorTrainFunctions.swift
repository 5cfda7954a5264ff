import Decomposition
import LuaRuntime
import Tensors

/// `mr.tt`: tensor trains.
enum TensorTrainFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.offer(TensorTrainClass.make(), in: state)
        try table.offer(TensorTrainMatrixClass.make(), in: state)
        try table.offer(TensorizedConvolutionClass.make(), in: state)
        let trains = try state.table()
        let module = "mr.tt"
        try trains.define("decompose", in: state, module: module) { call in
            let tensor = try call.object(1, "tensor", as: TensorObject.self).tensor
            let options = try TrainOptions.read(try call.options(2))
            try call.push(TensorTrainObject(try options.decompose(tensor)))
        }
        try trains.define("from_cores", in: state, module: module) { call in
            let cores = try call.values(in: 1, "cores").map { value -> Tensor in
                guard let object = try call.object(in: value, as: TensorObject.self) else {
                    throw call.invalid(1, "cores", "must be an array of Tensors")
                }
                return object.tensor
            }
            try call.push(TensorTrainObject(try TensorTrain(cores: cores)))
        }
        try trains.define("cross", in: state, module: module) { call in try cross(call, randomState) }
        try trains.define("matrix", in: state, module: module, TensorTrainMatrixClass.decompose)
        try trains.define("factors", in: state, module: module) { call in
            try call.push(try BalancedFactors.of(try call.integer(1, "number"), count: try call.integer(2, "count")))
        }
        try trains.define("convolution", in: state, module: module, convolution)
        try trains.define("tensorized_convolution", in: state, module: module, TensorizedConvolutionClass.decompose)
        try table.set("tt", trains)
    }

    /// TT-cross of a function of indices [count, d], int64 from 1, to a tensor of as many elements.
    private static func cross(_ call: borrowing LuaCall, _ randomState: RandomState) throws {
        let function = try call.function(1, "elements")
        let options = try call.options(2)
        guard let modes = try options.optionalIntegers("modes"), !modes.isEmpty, modes.allSatisfy({ $0 >= 1 }) else {
            throw options.invalid("modes", "must be given: the sizes of the tensor's dimensions, at least 1 each")
        }
        let maxRank = try options.integer("max_rank")
        guard maxRank >= 1 else { throw options.invalid("max_rank", "must be at least 1, got \(maxRank)") }
        let found = try TensorTrain.cross(
            modes: modes, relativeError: options.number("error"), maxRank: maxRank,
            seed: UInt64(bitPattern: Int64(options.integer("seed", default: randomState.seed)))
        ) { indices, count in
            let table = try Tensor(indices.map { Int64($0 + 1) }, shape: [count, modes.count])
            guard let object = try function(TensorObject(table)).first?.object?.object(as: TensorObject.self),
                object.tensor.dtype == .float32
            else { throw BindingFailure.crossElements(count: count) }
            return try object.tensor.contiguous().array(of: Float.self)
        }
        try call.push(TensorTrainObject(found.train))
        try call.push(["error": found.sampledError, "evaluations": found.evaluationCount] as LuaFields)
    }

    /// The chain of convolutions for a weight: rows with weight, stride, padding, dilation and groups.
    private static func convolution(_ call: borrowing LuaCall) throws {
        let weight = try call.object(1, "weight", as: TensorObject.self).tensor
        let options = try call.options(2)
        let grouping = try ConvolutionGrouping(
            parsing: try options.string("grouping"))
        var geometry = try geometry(options)
        geometry.groups = try options.integer("groups")
        let ranks = try PlanTable.ranks(try options.value("ranks"), place: "mr.tt.convolution: option 'ranks'")
        let (factors, clamps) = try grouping.factors(
            of: weight, geometry: geometry, ranks: TrainOptions.perBond(ranks, count: grouping.bondCount))
        let rows = try call.state.table()
        for factor in factors {
            try rows.append(
                [
                    "weight": TensorObject(factor.weight), "stride": factor.geometry.stride, "padding": factor.geometry.padding,
                    "dilation": factor.geometry.dilation, "groups": factor.geometry.groups,
                ] as LuaFields)
        }
        try rows.set("ranks", factors.dropLast().map { $0.weight.shape[0] / geometry.groups })
        try rows.set("clamps", clamps.map(TensorTrainClass.clamp))
        try call.push(rows)
    }

    /// The geometry of a layer without groups.
    static func geometry(_ options: OptionReader) throws -> ConvolutionGeometry {
        ConvolutionGeometry(
            stride: try options.extents("stride", least: 1) ?? [1, 1], padding: try options.padding("padding"),
            dilation: try options.extents("dilation", least: 1) ?? [1, 1])
    }
}
