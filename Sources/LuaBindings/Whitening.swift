import Compression
import Datasets
import Graphs
import LuaRuntime

/// The moments that a scoring pass collected, as scripts hold them.
final class MomentsObject: LuaObjectConvertible {
    let moments: InputStatistics

    init(_ moments: InputStatistics) { self.moments = moments }

    /// `Moments` in scripts.
    static func makeClass() -> LuaClass<MomentsObject> {
        LuaClass("Moments") { members in members.text { _ in "Moments of what goes into each layer" } }
    }
}

/// Where the moments come from that weights are whitened by.
enum Whitening {
    case images(DatasetObject)
    case moments(MomentsObject)

    /// - Throws: for images of the test split, and for what is neither.
    static func read(_ options: OptionReader, _ name: String = "whiten") throws -> Whitening? {
        let value = try options.value(name)
        if value.isNil { return nil }
        guard let found = try read(value) else {
            throw options.invalid(name, "must be a Dataset, or the moments of scores")
        }
        return found
    }

    /// `nil` for what is neither images nor moments.
    static func read(_ value: LuaValue) throws -> Whitening? {
        if let moments = try value.object?.object(as: MomentsObject.self, for: "option 'whiten'") { return .moments(moments) }
        guard let data = try value.object?.object(as: DatasetObject.self, for: "option 'whiten'") else { return nil }
        guard data.dataset.split != .test else { throw BindingFailure.testSplitChoosing(option: "whiten", dataset: data.dataset.name) }
        return .images(data)
    }

    /// Tells decompositions apart.
    var identity: ObjectIdentifier {
        switch self {
        case .images(let data): ObjectIdentifier(data)
        case .moments(let moments): ObjectIdentifier(moments)
        }
    }

    func moments(of graph: Graph) throws -> InputStatistics {
        switch self {
        case .images(let data):
            try InputStatistics(graph, images: data.calibrationBatches(imageCount: InputStatistics.imageCount, seed: 0).images)
        case .moments(let object): object.moments
        }
    }
}
