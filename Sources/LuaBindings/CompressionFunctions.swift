import Basics
import Compression
import Datasets
import Decomposition
import Graphs
import LuaRuntime
import Tensors

/// `mr.lwiq.score` and `mr.plan` without their printing, which the standard library adds.
enum CompressionFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.offer(MomentsObject.makeClass(), in: state)
        try table.define("score", in: state, module: "mr.lwiq") { call in try score(call, randomState) }
        try table.define("sensitivity", in: state) { call in try sensitivity(call, randomState) }
        try table.define("plan", in: state) { call in try PlanTable.make(call, randomState) }
        try table.set("groupings", ConvolutionGrouping.allCases.map(\.rawValue))
        try table.set("formats", FactorizationCatalog.families.map(\.name))
        try table.set("policies", Policy.names)
    }

    private static func score(_ call: borrowing LuaCall, _ randomState: RandomState) throws {
        let model = try call.object(1, "model", as: ModelObject.self)
        let data = try call.object(2, "data", as: DatasetObject.self)
        let options = try call.options(3)
        guard try data.dataset.split != .test || options.boolean("allow_test") else {
            throw BindingFailure.testSplit(dataset: data.dataset.name)
        }
        var scorer = LWIQScorer()
        let heads = ProxyHead.allCases.map(\.rawValue)
        scorer.head = ProxyHead(rawValue: try options.choice("head", among: heads)) ?? .imprint
        scorer.isMonotone = try options.boolean("monotone")
        scorer.floor = try options.optionalNumber("floor")
        if let floor = scorer.floor, !(floor >= 0 && floor.isFinite) {
            throw options.invalid("floor", "must be a gain of at least 0, got \(floor)")
        }
        scorer.embeddingSize = try options.integer("embedding")
        guard (1...1 << 20).contains(scorer.embeddingSize) else {
            throw options.invalid("embedding", "must lie between 1 and \(1 << 20), got \(scorer.embeddingSize)")
        }
        scorer.precision = model.precision
        scorer.keepsEmbeddings = try options.boolean("keep_embeddings")
        scorer.collectsMoments = try options.boolean("moments")
        let seed = UInt64(bitPattern: Int64(try options.integer("seed", default: randomState.seed)))
        let loading = try loading(data, options, seed)
        let (imprint, holdout) = try samples(of: data, options, seed)
        let scores: LayerScores
        do {
            scores = try scorer.score(model.graph, imprint: imprint, holdout: holdout, loading: loading)
        } catch CompressionFailure.missingClasses(let classes, _) {
            throw BindingFailure.missingClasses(
                names: classes.map { "'\(data.dataset.classNames[$0])' (\($0 + 1))" }, imageCount: imprint.count + holdout.count)
        }
        try call.push(try ScoreTable.table(scores, in: call.state))
    }

    /// The images that class means are made of and those that they classify: drawn, or just the two data sets that were given.
    private static func samples(
        of data: DatasetObject, _ options: OptionReader, _ seed: UInt64
    ) throws -> (imprint: ImageDataset, holdout: ImageDataset) {
        let isDrawn = try options.has("images")
        if let held = try options.value("holdout").object?.object(as: DatasetObject.self, for: "option 'holdout'") {
            guard try held.dataset.split != .test || options.boolean("allow_test") else {
                throw BindingFailure.testSplit(dataset: held.dataset.name)
            }
            guard held.dataset.classNames == data.dataset.classNames else {
                throw options.invalid("holdout", "must have the classes of the data, got \(held.dataset.classNames)")
            }
            let imprint = isDrawn ? try data.dataset.sample(count: options.imageCount(of: data.dataset), seed: seed) : data.dataset
            return (imprint, held.dataset)
        }
        let share = try options.number("holdout")
        guard share > 0, share < 1 else { throw options.invalid("holdout", "must lie between 0 and 1, got \(share)") }
        let chosen = try data.dataset.sample(count: options.imageCount(of: data.dataset), seed: seed)
        let parts = try chosen.split(fraction: 1 - share, seed: seed &+ 1)
        return (parts.first, parts.second)
    }

    private static func sensitivity(_ call: borrowing LuaCall, _ randomState: RandomState) throws {
        let model = try call.object(1, "model", as: ModelObject.self)
        let data = try call.object(2, "data", as: DatasetObject.self)
        let options = try call.options(3)
        guard try data.dataset.split != .test || options.boolean("allow_test") else {
            throw BindingFailure.testSplit(dataset: data.dataset.name)
        }
        var meter = SensitivityAnalysis()
        let measures = SensitivityCurves.Measure.allCases.map(\.rawValue)
        let measure = try options.choice("measure", among: measures)
        meter.measure = SensitivityCurves.Measure(rawValue: measure) ?? meter.measure
        let count = try options.imageCount(of: data.dataset, default: meter.measure.usualImageCount, least: 1)
        let seed = try options.integer("seed", default: randomState.seed)
        let decomposed = try model.decomposition(
            FormatOption.read(options),
            includesClassifier: options.boolean("classifier"),
            whitening: try Whitening.read(options))
        call.recount(model, position: 1)
        let batches = try data.calibrationBatches(imageCount: count, seed: seed)
        try call.push(try CurveTable.table(meter.measure(decomposed, images: batches.images, labels: batches.labels), in: call.state))
    }

    /// Batches as the images are, or augmented where that was asked for.
    private static func loading(_ data: DatasetObject, _ options: OptionReader, _ seed: UInt64) throws -> BatchLoader.Options {
        var loading = DatasetObject.plain(batchSize: 128)
        if try options.boolean("augment") {
            guard !data.options.augmentations.isEmpty else { throw options.invalid("augment", "needs a Dataset that has augmentations") }
            (loading.augmentations, loading.seed) = (data.options.augmentations, seed)
        }
        return loading
    }
}

/// Scores as a Lua table of rows, and back from what a script made of them.
enum ScoreTable {
    static func table(_ scores: LayerScores, in state: LuaState) throws -> LuaTable {
        let table = try state.table([
            "head": scores.head.rawValue, "imprint_images": scores.imprintCount, "holdout_images": scores.holdoutCount,
            "classes": scores.classCount, "seconds": scores.elapsedSeconds,
        ])
        for row in scores.rows {
            var fields: LuaFields = [
                "layer": row.layer, "accuracy": row.accuracy, "stderr": row.standardError, "gain": row.gain,
                "significance": row.significance, "class_accuracy": row.classAccuracies,
            ]
            if let parent = row.parent { fields.append("parent", parent) }
            if let embeddings = scores.embeddings[row.layer] { fields.append("embeddings", TensorObject(embeddings)) }
            try table.append(fields)
        }
        if let moments = scores.moments { try table.set("moments", MomentsObject(moments)) }
        if !scores.holdoutLabels.isEmpty {
            try table.set("labels", TensorObject(Tensor(scores.holdoutLabels.map { Int64($0 + 1) })))
        }
        return table
    }

    static func read(_ table: LuaTable) throws -> LayerScores {
        let listed = try LuaJSON.rows(of: table, place: "mr.plan: option 'scores'")
        guard !listed.isEmpty else { throw BindingFailure.planInput(detail: "the scores have no rows") }
        let rows = try listed.enumerated().map { position, value -> LayerScore in
            let row = value.table
            func number(_ name: String) throws -> Double {
                guard let value = try row?.rawGet(name).number, value.isFinite else {
                    throw BindingFailure.planInput(detail: "score row \(position + 1) has no number '\(name)'")
                }
                return value
            }
            guard let layer = try row?.rawGet("layer").string else {
                throw BindingFailure.planInput(detail: "score row \(position + 1) has no 'layer'")
            }
            return LayerScore(
                layer: layer, parent: try row?.rawGet("parent").string, accuracy: try number("accuracy"),
                standardError: try number("stderr"), gain: try number("gain"), significance: try number("significance"))
        }
        return LayerScores(
            rows: rows, head: .imprint, imprintCount: 0, holdoutCount: try table.rawGet("holdout_images").integer ?? 0,
            classCount: try table.rawGet("classes").integer ?? 0, elapsedSeconds: 0)
    }
}

extension OptionReader {
    /// The option `images`: how many images of a data set are looked at, or below 1 the share of them all.
    func imageCount(of dataset: ImageDataset, default fallback: Int? = nil, least: Int = 2) throws -> Int {
        let wanted = try number("images", default: fallback.map(Double.init))
        let count = wanted < 1 ? (wanted * Double(dataset.count)).rounded() : wanted
        guard count >= Double(least), count < 1e15, count == count.rounded() else {
            throw invalid("images", "must be a whole number of at least \(least), or a share below 1 that makes so many, got \(wanted)")
        }
        return Int(count)
    }
}

/// Curves as a Lua table of rows, and back from what a script made of them.
enum CurveTable {
    static func table(_ curves: SensitivityCurves, in state: LuaState) throws -> LuaTable {
        let table = try state.table([
            "measure": curves.measure.rawValue, "images": curves.imageCount, "seconds": curves.elapsedSeconds,
        ])
        for (name, points) in curves.layers {
            try table.append(
                [
                    "layer": name, "errors": points.map(\.squaredError), "losses": points.map(\.loss),
                    "ranks": points.map(\.ranks),
                ] as LuaFields)
        }
        return table
    }

    static func read(_ table: LuaTable) throws -> SensitivityCurves {
        guard let measure = SensitivityCurves.Measure(rawValue: try table.rawGet("measure").string ?? "") else {
            throw BindingFailure.planInput(detail: "the curves do not say what they measure")
        }
        let layers = try LuaJSON.rows(of: table, place: "mr.plan: option 'curves'").enumerated().map {
            position, value -> (name: String, points: [SensitivityCurves.Point]) in
            guard let row = value.table, let layer = try row.rawGet("layer").string,
                let errors = try row.rawGet("errors").table?.array().compactMap(\.number),
                let losses = try row.rawGet("losses").table?.array().compactMap(\.number), errors.count == losses.count
            else {
                throw BindingFailure.planInput(
                    detail: "curve row \(position + 1) needs a 'layer' and as many 'errors' as 'losses'")
            }
            return (layer, zip(errors, losses).map { .init(ranks: [], squaredError: $0, loss: $1) })
        }
        return SensitivityCurves(measure: measure, layers: layers, imageCount: 0, elapsedSeconds: 0)
    }
}
