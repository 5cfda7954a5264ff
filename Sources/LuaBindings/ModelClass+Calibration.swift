import Basics
import Compression
import Datasets
import Execution
import Graphs
import LuaRuntime
import Operations
import Tensors

/// Methods that mend a compressed model by what images make of it; none of them needs labels.
extension ModelClass {
    static func addCalibration(_ members: LuaClass<ModelObject>, _ randomState: RandomState) {
        members.mutatingMethod("reestimate") { call, model in
            let dataset = try call.object(1, "data", as: DatasetObject.self)
            let options = try call.options(2)
            let count = try options.imageCount(of: dataset.dataset)
            let seen = min(count, dataset.dataset.count)
            guard seen >= 2 else { throw call.invalid(1, "data", "must have at least 2 images") }
            if seen < BatchNormRecalibration.enoughImages { call.state.warn(fewImages(seen, call.functionName)) }
            try reestimate(model, on: dataset, imageCount: count, seed: try options.integer("seed", default: randomState.seed))
            try call.push(model.graph.nodes.count { $0.operation is BatchNorm })
        }
        members.mutatingMethod("repair") { call, model in
            let dense = try call.object(1, "dense", as: ModelObject.self)
            let data = try call.object(2, "data", as: DatasetObject.self)
            let options = try call.options(3)
            let count = try options.imageCount(of: data.dataset)
            guard data.dataset.count >= 2 else { throw call.invalid(2, "data", "must have at least 2 images") }
            let images = try data.calibrationBatches(
                imageCount: count, seed: options.integer("seed", default: randomState.seed)
            ).images
            let repaired = try ChannelStatisticsMatching.repair(model.graph, towards: dense.graph, images: images)
            model.setGraph(repaired.graph)
            try call.push(repaired.layers.count)
        }
        members.mutatingMethod("refit") { call, model in
            let dense = try call.object(1, "dense", as: ModelObject.self)
            let data = try call.object(2, "data", as: DatasetObject.self)
            let options = try call.options(3)
            let count = try options.imageCount(of: data.dataset)
            let ridge = try options.number("ridge")
            guard ridge >= 0, ridge.isFinite else { throw options.invalid("ridge", "must not be negative, got \(ridge)") }
            let images = try data.calibrationBatches(
                imageCount: count, seed: options.integer("seed", default: randomState.seed)
            ).images
            let fitted = try LeastSquaresReconstruction.repair(
                model.graph, towards: dense.graph, images: images, ridge: ridge,
                layers: options.optionalStrings("layers").map(Set.init))
            model.setGraph(fitted.graph)
            try call.push(fitted.layers.count)
        }
        members.mutatingMethod("distill") { call, model in
            let dense = try call.object(1, "dense", as: ModelObject.self)
            let data = try call.object(2, "data", as: DatasetObject.self)
            let options = try call.options(3)
            let count = try options.imageCount(of: data.dataset)
            let seed = try options.integer("seed", default: randomState.seed)
            let distillation = try distillation(options, seed: seed)
            let images = try data.calibrationBatches(imageCount: count, seed: seed).images
            let distilled = try distillation.distill(model.graph, towards: dense.graph, images: images)
            model.setGraph(distilled.graph)
            try call.push(distilled.outcomes.filter(\.isKept).reduce(0) { $0 + $1.layers.count })
        }
    }

    private static func distillation(_ options: OptionReader, seed: Int) throws -> BlockDistillation {
        let seconds = try options.number("seconds")
        guard seconds > 0, seconds.isFinite else { throw options.invalid("seconds", "must be above 0 and finite, got \(seconds)") }
        let steps = try options.optionalInteger("steps")
        if let steps, steps < 1 { throw options.invalid("steps", "must be at least 1, got \(steps)") }
        var distillation = BlockDistillation(effort: steps.map { .steps($0) } ?? .seconds(seconds))
        distillation.layersPerBlock = try options.integer("layers_per_block")
        distillation.batchSize = try options.integer("batch")
        for (name, value) in [("layers_per_block", distillation.layersPerBlock), ("batch", distillation.batchSize)] where value < 1 {
            throw options.invalid(name, "must be at least 1, got \(value)")
        }
        distillation.learningRate = try options.number("lr")
        guard distillation.learningRate > 0, distillation.learningRate.isFinite else {
            throw options.invalid("lr", "must be above 0 and finite, got \(distillation.learningRate)")
        }
        distillation.seed = UInt64(bitPattern: Int64(seed))
        distillation.layers = try options.optionalStrings("layers").map(Set.init)
        return distillation
    }

    private static func fewImages(_ count: Int, _ function: String) -> String {
        "\(function): statistics of only \(count) images would depend on which they are, so the old ones count as those "
            + "of the \(BatchNormRecalibration.enoughImages - count) that are missing to \(BatchNormRecalibration.enoughImages)"
    }

    private static func reestimate(_ model: ModelObject, on dataset: DatasetObject, imageCount: Int, seed: Int) throws {
        var estimator = try BatchNormRecalibration(model.graph)
        let calibration = try dataset.calibration(imageCount: imageCount, seed: seed)
        let batches = try calibration.epoch()
        var progress = ProgressReport("re-estimating BN", total: calibration.dataset.count)
        var check = ImageCheck()
        while let batch = try batches.next() {
            try check.add(batch.images)
            try estimator.add([batch.images])
            try progress.advance(by: batch.count)
        }
        try check.finish()
        model.setParameters(try estimator.estimated(fromAtLeast: BatchNormRecalibration.enoughImages))
    }
}
