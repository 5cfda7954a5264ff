#if canImport(Glibc)
    import Glibc
#endif

/// How much memory this process may count on.
package enum MachineMemory {
    /// Bytes: the least of the machine's memory, the limits of the control groups that the process is in, as containers
    /// set them, and what is left of its address space (`ulimit -v`). 16 GiB where nothing can be found out.
    public static func availableByteCount() -> Int {
        let limits = [
            physicalByteCount, addressSpaceLimit.map { max(0, $0 - mappedByteCount) },
            controlGroupLimit(
                groups: contents("/proc/self/cgroup") ?? "", mounts: contents("/proc/self/mountinfo") ?? "", read: contents),
        ]
        return limits.compactMap { $0 }.min() ?? 16 << 30
    }

    private static var addressSpaceLimit: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return nil }
        // "No limit" is the largest number of its type.
        return Int(exactly: limit.rlim_cur)
    }

    /// What the process has mapped by now: its code, libraries and buffers.
    private static var mappedByteCount: Int {
        let pages = contents("/proc/self/statm")?.split(separator: " ").first.flatMap { Int($0) } ?? 0
        return pages * max(0, sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var physicalByteCount: Int? {
        let (pages, pageSize) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && pageSize > 0 ? pages * pageSize : nil
    }

    /// The text of a small file of the kernel's, which has no size of its own.
    private static func contents(_ path: String) -> String? {
        guard let file = try? OpenFile(ofKernel: path) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        guard let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0, at: 0) }) else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// The least limit of memory in the process's control groups and those around them, of version 1 and 2; `nil` where
    /// there is none.
    ///
    /// A container may see its own group as the root, or see a path that is not mounted in it: what is missing is passed
    /// over, and the group that is mounted counts in any case.
    /// - Parameters:
    ///   - groups: what `/proc/self/cgroup` says, lines of `id:controllers:path`.
    ///   - mounts: what `/proc/self/mountinfo` says.
    ///   - read: gives the text of a file, `nil` for one that is not there.
    /// - Reference: Linux man-pages, cgroups(7); proc(5), /proc/pid/mountinfo.
    package static func controlGroupLimit(groups: String, mounts: String, read: (String) -> String?) -> Int? {
        var least: Int?
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let controllers = fields[1].split(separator: ",")
            guard controllers.isEmpty || controllers.contains("memory") else { continue }
            let file = controllers.isEmpty ? "memory.max" : "memory.limit_in_bytes"
            for mount in mounts.split(separator: "\n").compactMap(Mount.init) where mount.holds(controllers.isEmpty) {
                for folder in mount.folders(of: String(fields[2])) {
                    // "max" is no limit, and neither is the number that version 1 writes for none.
                    guard let number = read(folder + "/" + file)?.split(separator: "\n").first.flatMap({ Int($0) }),
                        number > 0, number < 1 << 62
                    else { continue }
                    least = min(least ?? number, number)
                }
            }
        }
        return least
    }

    /// A line of `/proc/self/mountinfo`: `31 24 0:27 ROOT PLACE OPTIONS … - TYPE SOURCE OPTIONS`.
    private struct Mount {
        let root: String
        let place: String
        let type: String
        let options: [Substring]

        init?(_ line: Substring) {
            let words = line.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count >= dash + 4 else { return nil }
            root = String(words[3])
            place = String(words[4])
            type = String(words[dash + 1])
            options = words[dash + 3].split(separator: ",")
        }

        func holds(_ isVersion2: Bool) -> Bool {
            isVersion2 ? type == "cgroup2" : type == "cgroup" && options.contains("memory")
        }

        /// Where the group at `path` and those around it lie, the innermost first; the mounted one is the last.
        func folders(of path: String) -> [String] {
            var rest = path
            if root != "/", rest == root || rest.hasPrefix(root + "/") { rest = String(rest.dropFirst(root.count)) }
            var parts = rest.split(separator: "/").filter { $0 != ".." }
            var folders: [String] = []
            while !parts.isEmpty {
                folders.append(place + "/" + parts.joined(separator: "/"))
                parts.removeLast()
            }
            return folders + [place]
        }
    }
}
