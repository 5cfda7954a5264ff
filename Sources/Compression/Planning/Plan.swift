public import Graphs

/// What becomes of one layer.
public struct PlanRow: Sendable, Equatable {
    public var layer: String
    /// The family of factorisations; `dense` where the layer has none.
    public var format: String
    /// One rank per bond; `nil` where the layer stays dense.
    public var ranks: [Int]?
    public var maxRanks: [Int]
    /// Why: the policy's share of ranks, a fixed rank, a clamp, or what keeps it dense.
    public var reason: String
    /// Accuracy gain of the layer where scores were given.
    public var gain: Double?
    /// ‖W − Ŵ‖ / ‖W‖ of the truncated weight.
    public var relativeError: Double
    public var denseParameterCount: Int
    public var parameterCount: Int
    public var denseMacCount: Int
    public var macCount: Int

    /// A row that someone else made, such as one read from a file. `Compressor` reads the layer, the format and the ranks.
    public init(
        layer: String, format: String, ranks: [Int]?, maxRanks: [Int] = [], reason: String = "given", gain: Double? = nil,
        relativeError: Double = 0, denseParameterCount: Int = 0, parameterCount: Int = 0, denseMacCount: Int = 0, macCount: Int = 0
    ) {
        self.layer = layer
        self.format = format
        self.ranks = ranks
        self.maxRanks = maxRanks
        self.reason = reason
        self.gain = gain
        self.relativeError = relativeError
        self.denseParameterCount = denseParameterCount
        self.parameterCount = parameterCount
        self.denseMacCount = denseMacCount
        self.macCount = macCount
    }
}

/// Ranks for every layer, with what they cost: a value that prints, can be edited, and is applied by `Compressor`.
public struct Plan: Sendable, Equatable {
    public var policy: String
    public var rows: [PlanRow]
    /// Of the dense model.
    public var denseCost: Cost
    public var parameterCount: Int
    public var macCount: Int
    public var byteCount: Int
    public var peakActivationByteCount: Int
    /// Nanoseconds forecast for the plan and measured for the dense model; `nil` where nothing was timed.
    public var latency: Int?
    public var denseLatency: Int?
    /// The limit that a further rank would have broken; `nil` where all layers have all they can use.
    public var bindingConstraint: String?
    /// By how much at most the loss is above the least possible within the limits, as a share of it; `nil` for policies that
    /// minimise no sum of losses.
    public var optimalityGap: Double?
    /// β of scaled policies: one factor for all layers.
    public var scalingFactor: Double?
    /// What was changed of what was asked for, such as ranks lowered to their bound.
    public var notes: [String]
    public var elapsedSeconds: Double

    /// A plan that someone else made. What it costs is for its readers; `Compressor` reads the rows, and
    /// `Planner.plan(_:budget:ranks:name:)` works the costs out.
    public init(
        policy: String, rows: [PlanRow], denseCost: Cost, parameterCount: Int, macCount: Int, byteCount: Int,
        peakActivationByteCount: Int, latency: Int? = nil, denseLatency: Int? = nil, bindingConstraint: String? = nil,
        optimalityGap: Double? = nil, scalingFactor: Double? = nil, notes: [String] = [], elapsedSeconds: Double = 0
    ) {
        self.policy = policy
        self.rows = rows
        self.denseCost = denseCost
        self.parameterCount = parameterCount
        self.macCount = macCount
        self.byteCount = byteCount
        self.peakActivationByteCount = peakActivationByteCount
        self.latency = latency
        self.denseLatency = denseLatency
        self.bindingConstraint = bindingConstraint
        self.optimalityGap = optimalityGap
        self.scalingFactor = scalingFactor
        self.notes = notes
        self.elapsedSeconds = elapsedSeconds
    }
}

extension Plan {
    public var denseParameterCount: Int { denseCost.parameterCount }
    public var denseMacCount: Int { denseCost.macCount }
}
