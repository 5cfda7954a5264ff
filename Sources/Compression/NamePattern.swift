#if canImport(Glibc)
    import Glibc
#endif

/// Patterns of layers' names, as shells have them: `*`, `?` and `[…]`.
enum NamePattern {
    /// A pattern that is a name matches it whatever its characters mean.
    static func matches(_ pattern: String, _ name: String) -> Bool { pattern == name || fnmatch(pattern, name, 0) == 0 }
}
