import Basics
import Compression
import Datasets
import LuaRuntime
import Tensors

/// Plans that images choose from a portfolio: `mr.plan` with `data`.
enum PortfolioTable {
    /// The name that asks for it, in place of that of a policy.
    static let policy = "portfolio"

    /// - Throws: for images of the test split; failures of the portfolio.
    static func choose(
        _ model: ModelObject, _ decomposed: DecomposedModel, _ planner: Planner, _ budget: Budget, _ formats: FormatChoice,
        _ options: OptionReader, seed: Int
    ) throws -> PortfolioChoice {
        guard let data = try options.optionalObject("data", as: DatasetObject.self) else {
            throw options.invalid("policy", "must come with option 'data', images that the plan is chosen by, where it is '\(policy)'")
        }
        guard data.dataset.split != .test else { throw BindingFailure.testSplitChoosing(option: "data", dataset: data.dataset.name) }
        let (images, held) = try parts(data, count: options.imageCount(of: data.dataset), seed: seed)
        let whitened = try model.decomposition(formats, includesClassifier: options.boolean("classifier"), whitening: .images(data))
        return try PlanPortfolio().choose(
            decomposed, whitened: whitened, planner: planner, budget: budget, images: images, held: held)
    }

    /// Images to fit to and images to judge by: the same where there are too few to spare some.
    private static func parts(_ data: DatasetObject, count: Int, seed: Int) throws -> (images: [Tensor], held: [Tensor]) {
        let seed = UInt64(bitPattern: Int64(seed))
        let all = try data.dataset.sample(count: count + PlanPortfolio.judgedImageCount, seed: seed)
        do {
            let fitted = all.count >= count + PlanPortfolio.judgedImageCount ? count : all.count / 3
            let (first, second) = try all.split(count: fitted, seed: seed)
            return (try first.batches().images, try second.batches().images)
        } catch DatasetFailure.invalidSplit {
            let images = try all.batches().images
            return (images, images)
        }
    }

    /// A row for each candidate.
    static func rows(_ choice: PortfolioChoice, in state: LuaState) throws -> LuaTable {
        let table = try state.table()
        for (index, entry) in choice.entries.enumerated() {
            let what = entry.plan == nil ? entry.note ?? "no plan" : entry.quality == nil ? "first look" : index == choice.chosen ? "chosen" : "judged"
            var row: LuaFields = ["policy": entry.name, "result": what, "seconds": entry.elapsedSeconds]
            if let look = entry.firstLook { row.append("first_look", look.distance) }
            if let quality = entry.quality {
                row.append("divergence", quality.distance)
                if let agreement = quality.agreement { row.append("agreement", agreement) }
            }
            if let plan = entry.plan {
                row.append("params", plan.parameterCount)
                row.append("macs", plan.macCount)
            }
            try table.append(row)
        }
        return table
    }
}
