/// How ranks are shared out among the layers.
public enum Policy: Sendable {
    /// The paper's: a layer's share of its useful ranks is its significance times one factor β for all layers.
    case lwiq
    /// The same share of its useful ranks for every layer.
    case uniform

    public static let names = ["lwiq", "uniform"]

    public init?(name: String) {
        switch name {
        case "lwiq": self = .lwiq
        case "uniform": self = .uniform
        default: return nil
        }
    }

    public var name: String {
        switch self {
        case .lwiq: "lwiq"
        case .uniform: "uniform"
        }
    }
}
