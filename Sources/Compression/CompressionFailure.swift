public import Basics

/// What can be wrong with scoring, planning or compressing.
public enum CompressionFailure: Failure {
    case missingClasses(classes: [Int], part: String)
    case noImages(part: String)
    case labelOutOfRange(label: Int, classCount: Int)
    case labelCount(labels: Int, images: Int)
    case noLayers(model: String)
    /// `policy` is set if another policy could reach a smaller model; `options` lists what keeps ranks from shrinking further.
    case unreachable(constraint: String, limit: Int, smallest: Int, dense: Int, policy: String?, options: [String])
    /// Each limit can be met alone, but no choice was found that meets all of them at once.
    case unreachableTogether(constraints: [String])
    case overBudget(policy: String, constraint: String, limit: Int, cost: Int)
    case noBudget
    case invalidBudget(detail: String)
    case unknownLayer(pattern: String, nearest: String?)
    case missingScores(policy: String)
    case missingScore(policy: String, layer: String)
    case missingCurves(policy: String, layer: String?)
    case scoreForUnknownLayer(layer: String, model: String)
    case invalidRanks(layer: String, detail: String)
    /// No family of factorisations is called so.
    case unknownFormat(name: String, nearest: String?, known: [String])
    case invalidOption(name: String, detail: String)
    /// `image` counts from 0 over all batches.
    case notFiniteImages(image: Int)
    case noContent
    /// `what` belongs to the layer that the failure is located in.
    case notFinite(what: String)

    /// Whether a budget cannot be met with the options that were given, and may be with others.
    var isUnreachable: Bool {
        switch self {
        case .unreachable, .unreachableTogether: true
        default: false
        }
    }

    public var code: String {
        switch self {
        case .missingClasses: "compression.missingClasses"
        case .noImages: "compression.noImages"
        case .labelOutOfRange: "compression.labelOutOfRange"
        case .labelCount: "compression.labelCount"
        case .noLayers: "compression.noLayers"
        case .unreachable: "compression.unreachable"
        case .unreachableTogether: "compression.invalidBudget"
        case .overBudget: "compression.overBudget"
        case .noBudget: "compression.noBudget"
        case .invalidBudget: "compression.invalidBudget"
        case .unknownLayer: "compression.unknownLayer"
        case .missingScores, .missingScore: "compression.missingScores"
        case .missingCurves: "compression.missingCurves"
        case .scoreForUnknownLayer: "compression.scoreForUnknownLayer"
        case .invalidRanks: "compression.invalidRanks"
        case .unknownFormat: "compression.unknownFormat"
        case .invalidOption: "compression.invalidOption"
        case .notFiniteImages: "compression.notFiniteImages"
        case .noContent: "compression.noContent"
        case .notFinite: "compression.notFinite"
        }
    }

    public var description: String {
        switch self {
        case .missingClasses(let classes, let part):
            "score: the \(part) part has no image of class \(classes.map(String.init).joined(separator: ", ")); use more images"
        case .noImages(let part): "score: the \(part) part has no images"
        case .labelOutOfRange(let label, let count): "score: label \(label) is out of range 0..<\(count)"
        case .labelCount(let labels, let images): "score: a batch of \(images) images comes with \(labels) labels"
        case .noLayers(let model): "\(model) has no layer that can be scored"
        case .unreachable(let constraint, let limit, let smallest, let dense, let policy, let options):
            "plan: a budget of \(Self.quantity(limit, constraint)) cannot be met\(policy.map { " by \($0)" } ?? ""); the "
                + "smallest achievable \(options.isEmpty ? "" : "with \(options.joined(separator: " and ")) ")is "
                + "\(Self.amount(smallest, constraint)) (\(DecimalText.percent(Double(smallest) / Double(max(1, dense)))) of the dense model's \(Self.amount(dense, constraint)))"
                + (policy == nil ? "" : ", or less by a policy that weighs formats, such as quadratic")
        case .unreachableTogether(let constraints):
            "plan: the limits on \(constraints.joined(separator: ", ")) cannot be met together"
        case .overBudget(let policy, let constraint, let limit, let cost):
            "plan: the policy '\(policy)' gives \(Self.quantity(cost, constraint)), over the budget of "
                + Self.amount(limit, constraint)
        case .noBudget: "plan: needs a budget, such as { params = 0.5 } to keep half of the parameters"
        case .invalidBudget(let detail): "plan: \(detail)"
        case .unknownLayer(let pattern, let nearest):
            "plan: no layer matches '\(pattern)'" + didYouMean(nearest)
        case .missingScores(let policy): "plan: the policy '\(policy)' needs the scores of the layers: score the model, and give them as 'scores'"
        case .missingScore(let policy, let layer):
            "plan: the policy '\(policy)' needs a score of every layer, but '\(layer)' has none; freeze it if it is to stay dense"
        case .missingCurves(let policy, let layer):
            "plan: the policy '\(policy)' needs curves that measured '\(policy)'"
                + (layer.map { " of '\($0)'" } ?? ": measure them, and give them as 'curves'")
        case .scoreForUnknownLayer(let layer, let model): "plan: the scores name '\(layer)', which \(model) has not"
        case .invalidRanks(let layer, let detail): "\(layer): \(detail)"
        case .unknownFormat(let name, let nearest, let known):
            "there is no format \"\(name)\"" + (nearest.map { "; did you mean \"\($0)\"?" } ?? ";")
                + " Formats: " + known.joined(separator: ", ")
        case .invalidOption(let name, let detail): "option '\(name)' \(detail)"
        case .notFiniteImages(let image):
            "image \(image + 1) of the calibration images has values that are infinite or no numbers; leave it out"
        case .noContent:
            "the calibration images have no content: each channel is the same at all positions of all images; use others"
        case .notFinite(let what):
            "\(what) has values that are infinite or no numbers; the images or the weights before it are too large or not finite"
        }
    }

    /// Latencies are kept in nanoseconds and spoken of in milliseconds, rounded up so that a limit named can be met.
    private static func amount(_ value: Int, _ constraint: String) -> String {
        guard constraint == Budget.Quantity.latency.rawValue else { return DecimalText.grouped(value) }
        return DecimalText.fixed((Double(value) / 100).rounded(.up) / 1e4, 4) + " ms"
    }

    /// An amount and what it is of: `2,694 params`, `0.0500 ms of latency`.
    private static func quantity(_ value: Int, _ constraint: String) -> String {
        amount(value, constraint) + (constraint == Budget.Quantity.latency.rawValue ? " of " : " ") + constraint
    }
}
