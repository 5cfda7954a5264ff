import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// Where measurements are kept that can be made again: the XDG Base Directory Specification's cache.
enum CacheDirectory {
    /// `nil` where neither XDG_CACHE_HOME nor HOME says, and where the running script may not reach it.
    static var path: String? {
        func variable(_ name: String) -> String? {
            guard let value = getenv(name), value.pointee == UInt8(ascii: "/") else { return nil }
            return String(foreignCString: value)
        }
        let path = (variable("XDG_CACHE_HOME") ?? variable("HOME").map { $0 + "/.cache" }).map { $0 + "/moonrail" }
        return path.flatMap { FileRoots.allows($0) ? $0 : nil }
    }
}
