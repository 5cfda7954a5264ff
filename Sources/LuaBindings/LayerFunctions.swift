import Graphs
import LuaRuntime
import Operations
import Tensors

/// `mr.nn`: the layers that networks are put together from. `sequential`, `graph`, `block` and `residual` are
/// functions of the standard library, written in Lua.
enum LayerFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.offer(ValueClass.make(), in: state)
        try NetworkClasses.register(in: state)
        let layers = try state.table()
        try addWeighted(to: layers, in: state)
        try addNormalizations(to: layers, in: state)
        try addActivations(to: layers, in: state)
        try addPools(to: layers, in: state)
        try addResizing(to: layers, in: state)
        try addPlain(to: layers, in: state)
        try table.set("layers", layers)
        // Messages show `mr.nn`: both sequential and graph begin here.
        try table.set(
            "network",
            try state.function("mr.nn") { call in
                let options = try call.options(1, described: OptionTable.options(of: "NetworkOptions") ?? [])
                let network = NetworkObject(
                    name: try options.string("name"),
                    seed: try options.integer("seed", default: randomState.seed), in: call.state)
                guard let shape = try options.optionalIntegers("image"), !shape.isEmpty, shape.allSatisfy({ $0 >= 1 }) else {
                    throw options.invalid("image", "must be the shape of one sample, such as { 3, 32, 32 }")
                }
                try call.push(network)
                try call.push(network.input(Shape(shape)))
            })
        // `nn.parameter` of the standard library gives the tensor.
        try table.define("parameter", in: state, module: "mr.nn") { call in
            let network = try call.object(1, "x", as: ValueObject.self).network
            let tensor = try call.object(2, "tensor", as: TensorObject.self)
            try tensor.requirePlain("mr.nn.parameter")
            try call.push(
                try network.parameter(
                    "parameter", named: try call.optionalString(3, "name"), tensor.tensor,
                    isTrainable: try call.optionalBoolean(4, "trainable") ?? true))
        }
        try table.define("enter", in: state, module: "mr.nn") { call in
            try call.object(1, "x", as: ValueObject.self).network.enter(try call.string(2, "name"))
        }
        try table.define("leave", in: state, module: "mr.nn") { call in
            try call.object(1, "x", as: ValueObject.self).network.leave()
        }
    }

    static func define(
        _ name: String, in state: LuaState, _ table: LuaTable,
        _ make: @escaping (OptionReader) throws -> LayerObject
    ) throws {
        try table.define(name, in: state, module: "mr.nn") { call in
            try call.push(try make(try call.options(1)))
        }
    }

    private static func addWeighted(to table: LuaTable, in state: LuaState) throws {
        try define("conv", in: state, table) { options in
            let channels = try options.integer("channels")
            let kernel = try options.extents("kernel", least: 1) ?? [1, 1]
            let geometry = try Self.geometry(options)
            let hasBias = try options.boolean("bias")
            return LayerObject("conv", name: try options.optionalString("name")) { builder, name, inputs in
                try builder.convolution(
                    name, inputs[0], channels: channels, kernel: kernel, geometry: geometry, hasBias: hasBias)
            }
        }
        try define("conv_transpose", in: state, table) { options in
            let channels = try options.integer("channels")
            let kernel = try options.extents("kernel", least: 1) ?? [1, 1]
            let geometry = try Self.geometry(options)
            let outputPadding = try options.extents("output_padding", least: 0) ?? [0, 0]
            let hasBias = try options.boolean("bias")
            return LayerObject("conv", name: try options.optionalString("name")) { builder, name, inputs in
                try builder.transposedConvolution(
                    name, inputs[0], channels: channels, kernel: kernel, geometry: geometry, outputPadding: outputPadding,
                    hasBias: hasBias)
            }
        }
        try define("linear", in: state, table) { options in
            let features = try options.integer("features")
            let hasBias = try options.boolean("bias")
            return LayerObject("fc", name: try options.optionalString("name")) { builder, name, inputs in
                try builder.linear(name, inputs[0], features: features, hasBias: hasBias)
            }
        }
        try define("dropout", in: state, table) { options in
            let probability = try options.number("probability")
            guard probability >= 0, probability < 1 else {
                throw options.invalid("probability", "must be at least 0 and below 1, got \(probability)")
            }
            return LayerObject("dropout", name: try options.optionalString("name")) { builder, name, inputs in
                try builder.dropout(name, inputs[0], probability: probability)
            }
        }
    }

    private static func geometry(_ options: OptionReader) throws -> ConvolutionGeometry {
        ConvolutionGeometry(
            stride: try options.extents("stride", least: 1) ?? [1, 1], padding: try options.padding("padding"),
            dilation: try options.extents("dilation", least: 1) ?? [1, 1], groups: try options.integer("groups"))
    }

    private static func addPools(to table: LuaTable, in state: LuaState) throws {
        func definePool(_ name: String, _ kind: @escaping (OptionReader) throws -> PoolingGeometry.Kind) throws {
            try define(name, in: state, table) { options in
                let window = try options.extents("window", least: 1) ?? [2, 2]
                let geometry = PoolingGeometry(
                    kind: try kind(options), window: window, stride: try options.extents("stride", least: 1),
                    padding: try options.padding("padding"))
                return LayerObject("pool", name: try options.optionalString("name")) {
                    try $0.apply($1, Pool2D(geometry), $2[0])
                }
            }
        }
        try definePool("max_pool") { _ in .max }
        try definePool("avg_pool") { options in
            try options.boolean("count_padding") ? .averageWithPadding : .average
        }
        try define("adaptive_avg_pool", in: state, table) { options in
            let size = try options.extents("size", least: 1) ?? [1, 1]
            return LayerObject("pool", name: try options.optionalString("name")) {
                try $0.apply($1, AdaptiveAveragePool2D(rows: size[0], columns: size[1]), $2[0])
            }
        }
        try define("global_avg_pool", in: state, table) { options in
            LayerObject("pool", name: try options.optionalString("name")) {
                try $0.apply($1, GlobalAveragePool2D(), $2[0])
            }
        }
    }

    private static func addPlain(to table: LuaTable, in state: LuaState) throws {
        try define("flatten", in: state, table) { options in
            LayerObject("flatten", name: try options.optionalString("name")) { try $0.apply($1, Flatten(), $2[0]) }
        }
        try define("add", in: state, table) { options in
            LayerObject("add", name: try options.optionalString("name"), inputCount: 2) { try $0.apply($1, Add(), $2[0], $2[1]) }
        }
    }
}

extension OptionReader {
    /// Rows and columns: one number for both, or two.
    func extents(_ name: String, least: Int) throws -> [Int]? {
        guard let numbers = try numberOrIntegers(name) else { return nil }
        guard [1, 2].contains(numbers.count), numbers.allSatisfy({ (least..<1 << 20).contains($0) }) else {
            throw invalid(name, "must be one whole number or two (rows, columns) of at least \(least), got \(numbers)")
        }
        return numbers.count == 1 ? [numbers[0], numbers[0]] : numbers
    }

    /// Top, left, bottom, right: from one number, from rows and columns, or from all four.
    func padding(_ name: String) throws -> [Int] {
        let numbers = try numberOrIntegers(name) ?? [0]
        guard [1, 2, 4].contains(numbers.count), numbers.allSatisfy({ (0..<1 << 20).contains($0) }) else {
            throw invalid(
                name, "must be one whole number, two (rows, columns) or four (top, left, bottom, right), got \(numbers)")
        }
        switch numbers.count {
        case 1: return [Int](repeating: numbers[0], count: 4)
        case 2: return numbers + numbers
        default: return numbers
        }
    }

    private func numberOrIntegers(_ name: String) throws -> [Int]? {
        try value(name).table == nil ? optionalInteger(name).map { [$0] } : optionalIntegers(name)
    }
}
