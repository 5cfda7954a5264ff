import Autograd
import Basics
import Compression
import Datasets
import Decomposition
import Execution
import Formats
import Graphs
import Interchange
import LuaRuntime
import Tensors

/// `Model` in scripts. `fit`, `evaluate` and the like are methods of the standard library, written in Lua.
enum ModelClass {
    static func make(_ randomState: RandomState) -> LuaClass<ModelObject> {
        LuaClass("Model") { members in
            members.byteCount { $0.byteCount }
            members.text { try $0.graph.summary() }
            members.callable { call, model in
                let outputs = try model.infer([try call.object(1, "images", as: TensorObject.self).tensor])
                for output in outputs { try call.push(TensorObject(output)) }
            }
            addProperties(members)
            addRunning(members)
            addCalibration(members, randomState)
            addCompression(members)
        }
    }

    private static func addProperties(_ members: LuaClass<ModelObject>) {
        members.property("name") { $0.graph.name }
        members.property("input_shape") { $0.graph.inputs.first?.sampleShape.dims ?? [] }
        members.property("cost") { model in
            let cost = try CostModel.cost(of: model.graph)
            return [
                "params": cost.parameterCount, "macs": cost.macCount, "bytes": cost.byteCount,
                "activation_bytes": cost.peakActivationByteCount,
            ] as LuaFields
        }
        members.method("layer_rows") { call, model in
            let rows = try WeightedLayers.layers(of: model.graph).map { layer in
                var row: LuaFields = [
                    "name": layer.name, "shape": layer.weightShape.dims, "params": layer.parameterCount,
                    "macs": layer.macCount, "tap": layer.tap, "classifier": layer.isClassifier,
                ]
                if let parent = layer.parent { row.append("parent", parent) }
                row.append("parameter", layer.weight)
                if let weight = model.graph.parameters[layer.weight]?.tensor { row.append("weight", TensorObject(weight)) }
                if let origin = model.graph.nodes[layer.node].origin { row.append("origin", origin.layer) }
                return row
            }
            try call.push(rows)
        }
        members.property("parameter_names") { $0.graph.parameters.names }
        members.method("parameter") { call, model in TensorObject(try parameter(call, of: model).tensor) }
        members.mutatingMethod("set_parameter") { call, model in
            let old = try parameter(call, of: model).tensor
            let new = try call.object(2, "tensor", as: TensorObject.self).tensor
            guard new.shape == old.shape, new.dtype == old.dtype else {
                throw call.invalid(
                    2, "tensor", "must be \(old.dtype) of the parameter's shape \(old.shape), got \(new.dtype) of \(new.shape)")
            }
            var parameters = model.graph.parameters
            parameters.update(try call.string(1, "name"), try new.copy())
            model.setParameters(parameters)
        }
        members.property("notes") { model in model.notes.members.map { "\($0.key)" } }
        members.method("note") { call, model in
            let key = try call.string(1, "name")
            if call.argumentCount > 1 {
                model.notes[key] = try LuaJSON.encode(try call.value(2), place: key)
                call.recount(model)
            }
            try call.push(try model.notes[key].map { try LuaJSON.decode($0, in: call.state) } ?? .nil)
        }
    }

    private static func parameter(_ call: borrowing LuaCall, of model: ModelObject) throws -> ParameterTable.Parameter {
        let name = try call.string(1, "name")
        if let parameter = model.graph.parameters[name] { return parameter }
        let near = nearestName(to: name, among: model.graph.parameters.names)
        throw call.invalid(1, "name", "is no parameter: '\(name)'" + didYouMean(near))
    }

    private static func addRunning(_ members: LuaClass<ModelObject>) {
        members.method("forward") { call, model in
            let images = try call.object(1, "images", as: TensorObject.self)
            let options = try call.options(2)
            let taps = try options.optionalStrings("taps") ?? []
            let stood = model.startStatistics()
            if let first = stood.first {
                let name = stood.count == 1 ? "batch norm '\(first)' has" : "\(stood.count) batch norms, the first '\(first)', have"
                call.state.warn(
                    "\(model.graph.name): \(name) momentum 0 (in ONNX 1), with which running statistics stand still and evaluation "
                        + "differs from training; they are trained with 0.1")
            }
            let (pass, result) = try model.forward(
                images, taps: taps, on: options.optionalObject("tape") ?? images.recorded?.pass ?? TapeObject(in: call.state))
            for output in result.outputs { try call.push(TensorObject(output.tensor, .init(pass: pass, variable: output))) }
            if try options.has("taps") {
                let table = try call.state.table()
                for (name, tap) in result.taps { try table.set(name, TensorObject(tap.tensor, .init(pass: pass, variable: tap))) }
                try call.push(table)
            }
        }
        members.method("features") { call, model in
            let images = try call.object(1, "images", as: TensorObject.self).tensor
            let values = try model.features([images], taps: try call.strings(2, "names"))
            let table = try call.state.table()
            for (name, value) in values { try table.set(name, TensorObject(value)) }
            return table
        }
        members.property("precision") { model in model.precision.rawValue }
        members.mutatingMethod("set_precision") { call, model in
            let name = try call.string(1, "precision")
            guard let precision = Precision(rawValue: name) else {
                throw call.invalid(1, "precision", "must be 'float32' or 'bf16', got '\(name)'")
            }
            try precision.checkProcessor()
            model.precision = precision
        }
        members.method("latency") { call, model in
            let options = try call.options(1)
            let batch = try options.integer("batch")
            let runs = try options.integer("runs")
            guard (1...65536).contains(batch), (1...1_000_000).contains(runs) else {
                throw options.invalid("batch", "and runs must be positive, got \(batch) and \(runs)")
            }
            let latency = try Latency.measure(model.graph, batch: batch, runs: runs, precision: model.precision)
            return [
                "ms": latency.median, "min": latency.minimum, "max": latency.maximum, "batch": batch, "runs": runs,
                "threads": Threads.count,
            ] as LuaFields
        }
        members.method("memory") { call, model in
            let batch = try call.optionalInteger(1, "batch") ?? 1
            guard (1...65536).contains(batch) else { throw call.invalid(1, "batch", "must be in 1…65536, got \(batch)") }
            let shapes = try ShapeInference.shapes(of: model.graph, batch: batch)
            let ends = (model.graph.inputs.map(\.name) + model.graph.outputs).compactMap { shapes[$0] }
            let (buffers, parameters) = (try model.bufferByteCount(batch: batch), model.graph.parameters.byteCount)
            let images = ends.reduce(0) { $0 + $1.elementCount * DType.float32.byteCount }
            return [
                "buffers": buffers, "parameters": parameters, "images": images, "total": buffers + parameters + images,
                "batch": batch,
            ] as LuaFields
        }
        members.method("profile_rows") { call, model in
            let batch = try call.optionalInteger(1, "batch") ?? 1
            guard (1...65536).contains(batch) else { throw call.invalid(1, "batch", "must be in 1…65536, got \(batch)") }
            let profile = try InferenceProfile.measure(
                model.graph, batch: batch, runs: batch == 1 ? 30 : 8, precision: model.precision)
            let total = profile.rows.reduce(0) { $0 + $1.milliseconds }
            try call.push(
                profile.rows.map { row -> LuaFields in
                    [
                        "name": row.name, "op": row.operation, "shape": row.shape.dims, "ms": row.milliseconds,
                        "share": total > 0 ? row.milliseconds / total : 0, "macs": row.macCount, "gflops": row.gigaflops,
                        "implementation": row.implementation,
                    ]
                })
        }
        members.method("save") { call, model in
            let path = try call.path(1, "path")
            let options = try call.options(2)
            if try options.choice("names", among: ["moonrail", "pytorch"]) == "pytorch" {
                return try StateDict.write(model.graph, to: path)
            }
            try ModelFile(graph: model.graph, notes: model.notes).write(byEndingOf: path, version: Toolkit.version)
        }
        members.method("clone") { _, model in ModelObject(model.graph, notes: model.notes) }
    }

    private static func addCompression(_ members: LuaClass<ModelObject>) {
        members.method("compress") { call, model in
            let plan = try PlanTable.read(try call.table(1, "plan"), for: model)
            call.recount(model)
            let small = try Compressor.compress(plan.model, plan: plan.plan)
            return ModelObject(small, notes: model.notes)
        }
        members.method("recompose") { _, model in
            ModelObject(try Recomposition.recompose(model.graph), notes: model.notes)
        }
    }
}
