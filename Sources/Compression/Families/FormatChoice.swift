import Basics

/// Which families of factorisations a layer may become, for all layers or by their names.
public struct FormatChoice: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    struct Rule: Hashable, Sendable {
        let pattern: String
        let formats: [String]
    }

    /// Names of families for layers without a rule.
    let formats: [String]
    /// By pattern (`*`, `?`, `[…]`) of layers; the last that matches counts.
    let rules: [Rule]

    /// The families that take part unasked.
    public static let automatic: FormatChoice = "auto"

    /// - Parameters:
    ///   - formats: names of families; `auto` stands for those that take part unasked, `all` for every one.
    ///   - rules: the same by pattern of layers' names; the last that matches counts.
    public init(_ formats: [String], rules: [(pattern: String, formats: [String])] = []) {
        self.formats = formats
        self.rules = rules.map { Rule(pattern: $0.pattern, formats: $0.formats) }
    }

    public init(stringLiteral format: String) { self.init([format]) }
    public init(arrayLiteral formats: String...) { self.init(formats) }

    /// Whether families were named, and not only left to what takes part unasked.
    func isAutomatic(for layer: String) -> Bool { names(for: layer) == ["auto"] }

    private func names(for layer: String) -> [String] {
        rules.last { NamePattern.matches($0.pattern, layer) }?.formats ?? formats
    }

    /// The families for a layer, each once.
    /// - Throws: `unknownFormat`; `invalidOption` where none is named.
    func families(for layer: String) throws -> [any FactorizationFamily] {
        let names = names(for: layer)
        guard !names.isEmpty else {
            throw CompressionFailure.invalidOption(name: "formats", detail: "must name at least one family for '\(layer)'")
        }
        var found: [any FactorizationFamily] = []
        for family in try names.flatMap(FactorizationCatalog.families(named:)) where !found.contains(where: { $0.name == family.name }) {
            found.append(family)
        }
        return found
    }

    /// - Throws: `unknownLayer` with the nearest name for a pattern that matches none of `layers`.
    func check(_ layers: [String]) throws { try NamePattern.check(rules.map(\.pattern), among: layers) }
}
