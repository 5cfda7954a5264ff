import Compression
import Datasets
import LuaRuntime
import Tensors

/// `core.repair(model, dense, data, images)`: a compressed model whose layers have the dense ones' means and variances,
/// and how many layers that took.
enum RepairFunctions {
    static func add(to table: LuaTable, in state: LuaState) throws {
        try table.define("repair", in: state) { call in
            let model = try call.object(1, "model", as: ModelObject.self)
            let dense = try call.object(2, "dense", as: ModelObject.self)
            let data = try call.object(3, "data", as: DatasetObject.self)
            let count = try call.integer(4, "images")
            guard count >= 2 else { throw call.invalid(4, "images", "must be at least 2, got \(count)") }
            let batches = try data.calibration(imageCount: count, seed: 0).epoch()
            var images: [Tensor] = []
            while let batch = try batches.next() { images.append(batch.images) }
            let repaired = try AffineRepair.repair(
                model.graph, towards: dense.graph, images: Tensor.concatenated(images, dim: 0))
            try call.push(ModelObject(repaired.graph, notes: model.notes))
            try call.push(repaired.layers.count)
        }
    }
}
