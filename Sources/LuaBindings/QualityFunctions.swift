import Basics
import Compression
import Datasets
import Graphs
import Interchange
import LuaRuntime
import Tensors

/// What the pipeline of the standard library needs beside what scripts have: judging models, repairing them by that judgement,
/// and trying a path before there is something to write.
enum QualityFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.define("judge", in: state) { call in try judge(call, randomState) }
        try table.define("check_output", in: state) { call in
            try checkOutput(call.path(1, "path"), overwrites: call.boolean(2, "overwrite"))
        }
    }

    /// A judge and the qualities that it has measured, which scripts know by their numbers.
    private final class Judge {
        let judge: QualityJudge
        var qualities: [ModelQuality] = []

        init(_ judge: QualityJudge) { self.judge = judge }

        /// The row of a quality, which is kept under `row.number`.
        func row(_ quality: ModelQuality) -> LuaFields {
            qualities.append(quality)
            var row: LuaFields = ["number": qualities.count, "images": quality.imageCount]
            let measures = [
                ("accuracy", quality.accuracy), ("divergence", quality.divergence), ("agreement", quality.agreement),
                ("likeness", quality.likeness),
            ]
            for (name, value) in measures { if let value { row.append(name, value) } }
            return row
        }

        func quality(_ number: Int, _ call: borrowing LuaCall, _ position: Int) throws -> ModelQuality {
            guard qualities.indices.contains(number - 1) else {
                throw call.invalid(position, "number", "must be that of a quality measured by this judge, got \(number)")
            }
            return qualities[number - 1]
        }
    }

    /// `judge(data, is_labelled, dense)`: a table of functions. `measure(model)` gives the row of a quality,
    /// `is_better(number, other, margin)` compares two, and `repair(model, dense, data, options)` is the pipeline's middle part.
    private static func judge(_ call: borrowing LuaCall, _ randomState: RandomState) throws {
        let data = try call.object(1, "data", as: DatasetObject.self)
        let isLabelled = try call.boolean(2, "is_labelled")
        let dense = call.isNil(3) ? nil : try call.object(3, "dense", as: ModelObject.self).graph
        let batches = try data.calibrationBatches(imageCount: data.dataset.count, seed: 0)
        let judge = Judge(try QualityJudge(dense: dense, images: batches.images, labels: isLabelled ? batches.labels : nil))
        let bytes = batches.images.reduce(0) { $0 + $1.byteCount }
        let functions = try call.state.table()
        try functions.set(
            "measure",
            try call.state.function("measure", byteCount: bytes) { call in
                let model = try call.object(1, "model", as: ModelObject.self)
                try call.push(judge.row(try judge.judge.quality(of: model.graph)))
            })
        try functions.set(
            "is_better",
            try call.state.function("is_better") { call in
                let one = try judge.quality(call.integer(1, "number"), call, 1)
                let other = try judge.quality(call.integer(2, "other"), call, 2)
                let margin = try call.optionalInteger(3, "margin").map { try judge.quality($0, call, 3) }
                try call.push(one.isBetter(than: other, upTo: margin))
            })
        try functions.set("repair", try call.state.function("repair") { call in try repair(call, judge, randomState) })
        try call.push(functions)
    }

    private static func repair(_ call: borrowing LuaCall, _ judge: Judge, _ randomState: RandomState) throws {
        let dense = try call.object(2, "dense", as: ModelObject.self).graph
        let data = try call.object(3, "data", as: DatasetObject.self)
        let options = try call.options(4, known: ["distill_images", "distill_seconds", "images", "layers", "repairs", "seed"])
        var pipeline = RepairPipeline()
        if let names = try options.optionalStrings("repairs") {
            pipeline.steps = Set(
                try names.map { name in
                    guard let step = RepairStep(rawValue: name) else {
                        let known = RepairStep.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
                        throw options.invalid("repairs", "must be among \(known), got '\(name)'")
                    }
                    return step
                })
        }
        pipeline.layers = try options.optionalStrings("layers").map(Set.init)
        let seed = try options.integer("seed", default: randomState.seed)
        let images = try data.calibrationBatches(imageCount: try options.integer("images"), seed: seed).images
        if let seconds = try options.optionalNumber("distill_seconds") {
            var distillation = BlockDistillation(effort: .seconds(seconds))
            distillation.seed = UInt64(bitPattern: Int64(seed))
            pipeline.distillation = distillation
            pipeline.steps.insert(.distill)
            pipeline.distillationImages = try data.calibrationBatches(imageCount: try options.integer("distill_images"), seed: seed).images
        }
        let outcomes = try call.exclusive(1, "model", as: ModelObject.self) { model in
            let (graph, outcomes) = try pipeline.run(model.graph, towards: dense, images: images, judge: judge.judge)
            if outcomes.contains(where: \.isKept) { model.setGraph(graph) }
            return outcomes
        }
        try call.push(
            outcomes.map { outcome -> LuaFields in
                var row: LuaFields = [
                    "step": outcome.step.rawValue, "layers": outcome.layerCount, "kept": outcome.isKept,
                    "seconds": outcome.elapsedSeconds, "before": judge.row(outcome.before),
                ]
                if let after = outcome.after { row.append("after", judge.row(after)) }
                return row
            })
    }

    /// Whether a model can be written to `path` and read again: before the work that is to end there.
    /// - Throws: `InterchangeFailure.unknownEnding`; `FileFailure.cannotWrite` for a path where nothing can be written, for one that
    ///   leads to no regular file, and for a file that is there where it may not be overwritten.
    private static func checkOutput(_ path: String, overwrites: Bool) throws {
        _ = try ModelFormat(endingOf: path, among: [.safetensors, .onnx])
        if AtomicFile.exists(path) {
            do {
                _ = try AtomicFile.size(path)
            } catch FileFailure.cannotRead(_, let reason) {
                throw FileFailure.cannotWrite(path: path, reason: reason)
            }
            guard overwrites else { throw BindingFailure.fileExists(path: path) }
        }
        struct Rehearsal: Error {}
        // Whatever stops a file while it is written leaves what was there before.
        do {
            try AtomicFile.write(path) { _ in throw Rehearsal() }
        } catch is Rehearsal {}
    }
}
