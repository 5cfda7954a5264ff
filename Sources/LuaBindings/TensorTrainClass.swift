import Decomposition
import LuaRuntime
import Tensors

/// A tensor train as scripts hold it, with what the truncation that made it gave up.
final class TensorTrainObject: LuaObjectConvertible {
    let train: TensorTrain
    let truncation: TruncatedTrain?

    init(_ train: TensorTrain) { (self.train, truncation) = (train, nil) }

    init(_ truncation: TruncatedTrain) { (train, self.truncation) = (truncation.train, truncation) }

    var denseCount: Double { train.modes.reduce(1) { $0 * Double($1) } }
}

/// `TensorTrain` in scripts. Bonds, cores and indices count from 1; methods make new trains.
enum TensorTrainClass {
    static func make() -> LuaClass<TensorTrainObject> {
        LuaClass("TensorTrain") { members in
            members.byteCount { $0.train.cores.reduce(0) { $0 + $1.byteCount } }
            members.text { object in
                var text = "\(object.train), \(object.train.parameterCount) parameters"
                if let error = object.truncation?.relativeError { text += ", error \(Float(error))" }
                for clamp in object.truncation?.clamps ?? [] { text += "; \(clamp)" }
                return text
            }
            members.length { $0.train.cores.count }
            addProperties(members)
            addArithmetic(members)
            addMethods(members)
        }
    }

    static func clamp(_ clamp: RankClamp) -> LuaFields {
        ["bond": clamp.bond + 1, "requested": clamp.requested, "bound": clamp.bound]
    }

    private static func addProperties(_ members: LuaClass<TensorTrainObject>) {
        members.property("modes") { $0.train.modes }
        members.property("ranks") { $0.train.ranks }
        members.property("max_ranks") { TensorTrain.maxRanks(modes: $0.train.modes) }
        members.property("params") { $0.train.parameterCount }
        members.property("ratio") { $0.denseCount / Double($0.train.parameterCount) }
        members.property("cores") { $0.train.cores.map { TensorObject($0) } }
        members.property("error") { $0.truncation?.relativeError }
        members.property("routes") { $0.truncation?.routes.map(\.rawValue) }
        members.property("clamps") { $0.truncation?.clamps.map(clamp) }
    }

    private static func addArithmetic(_ members: LuaClass<TensorTrainObject>) {
        func operand(_ call: borrowing LuaCall, _ position: Int) throws -> TensorTrain {
            try call.object(position, "operand", as: TensorTrainObject.self).train
        }
        members.metamethod(.add) { call in
            try call.push(TensorTrainObject(try operand(call, 1).adding(operand(call, 2))))
        }
        members.metamethod(.subtract) { call in
            try call.push(TensorTrainObject(try operand(call, 1).adding(operand(call, 2).scaled(by: -1))))
        }
        members.metamethod(.multiply) { call in
            let result =
                if call.isNumber(1) {
                    try operand(call, 2).scaled(by: call.number(1, "factor"))
                } else if call.isNumber(2) {
                    try operand(call, 1).scaled(by: call.number(2, "factor"))
                } else {
                    try operand(call, 1).multiplyingElements(by: operand(call, 2))
                }
            try call.push(TensorTrainObject(result))
        }
        members.metamethod(.divide) { call in
            try call.push(TensorTrainObject(try operand(call, 1).scaled(by: 1 / call.number(2, "divisor"))))
        }
        members.metamethod(.negate) { call in try call.push(TensorTrainObject(try operand(call, 1).scaled(by: -1))) }
        members.method("dot") { call, object in
            try object.train.innerProduct(try call.object(1, "other", as: TensorTrainObject.self).train)
        }
    }

    private static func addMethods(_ members: LuaClass<TensorTrainObject>) {
        members.method("reconstruct") { _, object in TensorObject(try object.train.reconstructed()) }
        members.method("norm") { _, object in try object.train.norm() }
        members.method("at") { call, object in
            let index = try TensorClass.shape(call, from: 1)
            let modes = object.train.modes
            guard index.count == modes.count, zip(index, modes).allSatisfy({ $0 >= 1 && $0 <= $1 }) else {
                throw call.invalid(1, "index", "must be \(modes.count) numbers from 1 up to the modes \(modes), got \(index)")
            }
            return try object.train.element(at: index.map { $0 &- 1 })
        }
        members.method("orthogonalize") { call, object in
            let position = try call.optionalInteger(1, "core") ?? 1
            guard (1...object.train.cores.count).contains(position) else {
                throw call.invalid(1, "core", "must be in 1…\(object.train.cores.count), got \(position)")
            }
            return TensorTrainObject(try object.train.orthogonalized(at: position - 1))
        }
        members.method("round") { call, object in
            let options = try TrainOptions.read(try call.options(1))
            return TensorTrainObject(try options.round(object.train))
        }
        members.method("balance") { _, object in TensorTrainObject(try object.train.balanced()) }
        members.method("spectra") { _, object in try object.train.bondSpectra() }
        members.method("curve_rows") { call, object in
            let rows = try object.train.errorCurves().enumerated().flatMap { bond, points in
                points.map { point in
                    [
                        "bond": bond + 1, "rank": point.rank, "error": point.error,
                        "singular_value": Double(point.singularValue),
                    ] as LuaFields
                }
            }
            try call.push(rows)
        }
    }
}

/// How a script says where to truncate: `ranks`, `error` with or without `max_rank`, or `keep`.
enum TrainOptions {
    case ranks([Int])
    case error(Double, maxRank: Int?)
    case keep(Double)

    static func read(_ options: OptionReader) throws -> TrainOptions {
        let ranks = try options.value("ranks")
        let error = try options.optionalNumber("error")
        let keep = try options.optionalNumber("keep")
        let maxRank = try options.optionalInteger("max_rank")
        guard [!ranks.isNil, error != nil, keep != nil].count(where: { $0 }) == 1 else {
            throw options.invalid("ranks", "must be given, or error or keep in its place: one of them and no more")
        }
        if let error { return .error(error, maxRank: maxRank) }
        guard maxRank == nil else { throw options.invalid("max_rank", "goes with error only") }
        if let keep { return .keep(keep) }
        if let rank = ranks.integer { return .ranks([rank]) }
        return .ranks(try options.optionalIntegers("ranks") ?? [])
    }

    /// One rank is for all bonds.
    static func perBond(_ ranks: [Int], count: Int) -> [Int] {
        ranks.count == 1 && count > 1 ? [Int](repeating: ranks[0], count: count) : ranks
    }

    func round(_ train: TensorTrain) throws -> TruncatedTrain {
        switch self {
        case .ranks(let ranks): try train.rounded(ranks: Self.perBond(ranks, count: train.ranks.count))
        case .error(let error, let maxRank): try train.rounded(relativeError: error, maxRank: maxRank)
        case .keep(let share): try train.rounded(keeping: share)
        }
    }

    func decompose(_ tensor: Tensor) throws -> TruncatedTrain {
        switch self {
        case .ranks(let ranks):
            try TensorTrain.decompose(tensor, ranks: Self.perBond(ranks, count: max(0, tensor.rank - 1)))
        case .error(let error, let maxRank): try TensorTrain.decompose(tensor, relativeError: error, maxRank: maxRank)
        case .keep(let share): try TensorTrain.decompose(tensor, keeping: share)
        }
    }
}
