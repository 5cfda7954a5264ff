import Basics
import Decomposition

/// The families that options know by name.
public enum FactorizationCatalog {
    private static let builtIn: [any FactorizationFamily] = [
        Tucker2(), ConvolutionTrain(.spatial), ConvolutionTrain(.outputChannels), ConvolutionTrain(.separable), LinearPair(),
        CanonicalPolyadicFamily(), TensorTrainMatrixFamily(), TensorizedChannels(), ConvolutionTrain(.tensorTrain),
    ]
    private static let added = Guarded<[any FactorizationFamily]>([])

    /// All of them; those that take part unasked first.
    public static var families: [any FactorizationFamily] { builtIn + added.withLock { $0 } }

    /// Enters a family, which options can then name as they name the others.
    /// - Throws: `invalidOption` for a name that is taken.
    public static func register(_ family: any FactorizationFamily) throws {
        let wanted = plain(family.name)
        try added.withLock { added in
            guard !(builtIn + added).contains(where: { plain($0.name) == wanted }), aliases[wanted] == nil, wanted != "auto",
                wanted != "all"
            else { throw CompressionFailure.invalidOption(name: "formats", detail: "has a family called '\(family.name)' already") }
            added.append(family)
        }
    }

    /// Names that stand for several families: those that take part unasked, and all there are.
    static let groups = ["auto", "all"]
    /// Other words of the field.
    private static let aliases = [
        "lowrank": ["I|O", "C·Kh·Kw|O"], "svd": ["I|O", "C·Kh·Kw|O"],
        "trains": ConvolutionGrouping.allCases.map(\.rawValue) + ["I|O"],
    ]
    /// How many of the families take part unasked. Left out are tensorised channels, which lost to the others at every budget
    /// that was tried and take the longest to decompose; TT-matrices, whose chains end in a reshape, so that least squares
    /// cannot fit them to the dense layer; and the grouping whose chain is that of Tucker-2 with less good factors.
    private static let automatic = 6

    /// The families that a name stands for.
    /// - Throws: `unknownFormat` naming the nearest.
    static func families(named name: String) throws -> [any FactorizationFamily] {
        if name == "auto" { return Array(builtIn.prefix(automatic)) }
        if name == "all" { return families }
        if let made = try FactorText.family(name) { return [made] }
        let (wanted, families) = (plain(name), families)
        if let found = families.first(where: { plain($0.name) == wanted }) { return [found] }
        if let several = aliases[wanted] { return families.filter { several.contains($0.name) } }
        let known = families.map(\.name) + groups + aliases.keys.sorted()
        let near = nearestName(to: wanted, among: known.map(plain)).flatMap { near in known.first { plain($0) == near } }
        throw CompressionFailure.unknownFormat(name: name, nearest: near, known: known)
    }

    /// The names are read in any case, with or without dots, spaces and hyphens.
    private static func plain(_ name: String) -> String { name.lowercased().filter { !"·*.-_ ".contains($0) } }
}

/// Names of families with factors of their own: `TT-matrix(4x8|8x4)`, the factors of the inputs and those of the outputs.
enum FactorText {
    static func name(_ base: String, _ inputs: [Int], _ outputs: [Int]) -> String {
        func text(_ factors: [Int]) -> String { factors.map(String.init).joined(separator: "x") }
        return "\(base)(\(text(inputs))|\(text(outputs)))"
    }

    /// `nil` for a name without factors.
    /// - Throws: `unknownFormat` for factors that cannot be read.
    static func family(_ name: String) throws -> (any FactorizationFamily)? {
        guard let open = name.firstIndex(of: "("), name.last == ")" else { return nil }
        let base = name[..<open].filter { $0 != " " }.lowercased()
        let sides = name[name.index(after: open)...].dropLast().split(separator: "|", omittingEmptySubsequences: false).map { side in
            side.split(separator: "x", omittingEmptySubsequences: false).map { Int($0.filter { $0 != " " }) ?? 0 }
        }
        let makers: [(name: String, make: ([Int], [Int]) -> any FactorizationFamily)] = [
            (TensorTrainMatrixFamily.baseName, { TensorTrainMatrixFamily(inputs: $0, outputs: $1) }),
            (TensorizedChannels.baseName, { TensorizedChannels(inputs: $0, outputs: $1) }),
        ]
        guard let maker = makers.first(where: { $0.name.lowercased() == base }), sides.count == 2,
            sides.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (1...1 << 20).contains($0) } && $0.count <= 16 })
        else {
            throw CompressionFailure.unknownFormat(
                name: name, nearest: "TT-matrix(4x8|8x4)", known: makers.map { "\($0.name)(inputs|outputs)" })
        }
        return maker.make(sides[0], sides[1])
    }
}
