import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// Patterns of layers' names, as shells have them: `*`, `?` and `[…]`.
enum NamePattern {
    /// A pattern that is a name matches it whatever its characters mean.
    static func matches(_ pattern: String, _ name: String) -> Bool { pattern == name || fnmatch(pattern, name, 0) == 0 }

    /// - Throws: `unknownLayer`, with what may have been meant, for the first pattern that matches none of `names`.
    static func check(_ patterns: some Sequence<String>, among names: [String]) throws {
        for pattern in patterns where !names.contains(where: { matches(pattern, $0) }) {
            throw CompressionFailure.unknownLayer(pattern: pattern, nearest: nearest(to: pattern, among: names))
        }
    }

    /// A name near to the pattern, or a pattern that matches some name and differs a little before its first wildcard.
    private static func nearest(to pattern: String, among names: [String]) -> String? {
        let literal = pattern.prefix { !"*?[".contains($0) }
        let wildcards = pattern.dropFirst(literal.count)
        guard !wildcards.isEmpty else { return nearestName(to: pattern, among: names) }
        let lengths = max(0, literal.count - 2)...literal.count + 2
        let beginnings = Set(names.flatMap { name in lengths.map { String(name.prefix($0)) } }).sorted()
        let meant = nearestName(to: String(literal), among: beginnings).map { $0 + wildcards }
        return meant.flatMap { candidate in names.contains { matches(candidate, $0) } ? candidate : nil }
    }
}
