#if canImport(Glibc)
    import Glibc
#endif

/// What a path to be written leads to, behind symbolic links.
enum WriteTarget {
    /// A regular file, or the place for one.
    /// - Parameter existing: what is known of the file that is there; `nil` where none is.
    case file(folder: Descriptor, name: String, existing: stat?)
    /// A pipe, a device or another process's open file, which a link below `/proc` stands for: something to write into, not
    /// to replace.
    case stream(folder: Descriptor, name: String, isLink: Bool, isPipe: Bool)
    /// An open file of this process, named as `/dev/stdout` and `/dev/fd/3` do.
    case descriptor(Int32)

    /// As many links in a row as Linux follows.
    private static let longestChain = 40

    /// - Throws: `FileFailure` for a path that leads to a directory, in a circle, or where nothing can be written.
    init(_ path: String) throws {
        try FilePath.check(path)
        guard !path.isEmpty else { throw FileFailure.invalidPath(path: path, reason: "it is empty") }
        var current = path
        for _ in 0..<Self.longestChain {
            let (folder, name): (Descriptor, String)
            do throws(OpeningError) {
                (folder, name) = try PathOpening.place(of: current)
            } catch {
                throw FileFailure.unwritable(path, error)
            }
            var info = stat()
            guard name.withForeignCString({ fstatat(folder.number, $0, &info, AT_SYMLINK_NOFOLLOW) }) == 0 else {
                let error = errno
                guard error == ENOENT else { throw FileFailure.unwritable(path, error: error) }
                self = .file(folder: folder, name: name, existing: nil)
                return
            }
            switch info.st_mode & S_IFMT {
            case S_IFREG:
                self = .file(folder: folder, name: name, existing: info)
                return
            case S_IFDIR: throw FileFailure.unwritable(path, error: EISDIR)
            case S_IFLNK:
                // Its target is a name, which could lead elsewhere by the time that it is opened.
                guard FileRoots.current == nil else {
                    throw FileFailure.cannotWrite(path: path, reason: "it is a link, which nothing is written through here")
                }
                if Self.isOfProcesses(info) {
                    self = try Self.openFile(name, in: folder, askedFor: path)
                    return
                }
                let directory = DirectoryListing.split(current).directory
                try Self.checkTrust(info, in: folder, directory: directory, path: path)
                let target = try Self.content(of: name, in: folder, path: path)
                current = FilePath.isAbsolute(target) ? target : directory + target
                try FilePath.check(current)
            default:
                self = .stream(folder: folder, name: name, isLink: false, isPipe: info.st_mode & S_IFMT == S_IFIFO)
                return
            }
        }
        throw FileFailure.unwritable(path, error: ELOOP)
    }

    /// Whether a link belongs to the file system of processes, where it stands for an open file and no path.
    private static func isOfProcesses(_ info: stat) -> Bool {
        var processes = stat()
        return stat("/proc", &processes) == 0 && info.st_dev == processes.st_dev
    }

    /// What a link below `/proc/…/fd` stands for: our own descriptor of that number, or else what the system opens.
    private static func openFile(_ name: String, in folder: Descriptor, askedFor: String) throws -> WriteTarget {
        var (theirs, ours) = (stat(), stat())
        guard name.withForeignCString({ fstatat(folder.number, $0, &theirs, 0) }) == 0 else {
            throw FileFailure.unwritable(askedFor)
        }
        guard theirs.st_mode & S_IFMT != S_IFDIR else { throw FileFailure.unwritable(askedFor, error: EISDIR) }
        if let number = Int32(name), fstat(number, &ours) == 0, (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino) {
            return .descriptor(number)
        }
        return .stream(folder: folder, name: name, isLink: true, isPipe: theirs.st_mode & S_IFMT == S_IFIFO)
    }

    /// Links that another user left in a folder that all may write to, such as `/tmp`, are not followed.
    /// - Reference: Linux, *Documentation for /proc/sys/fs*, protected_symlinks, whose rule this is.
    private static func checkTrust(_ link: stat, in folder: Descriptor, directory: String, path: String) throws {
        var place = stat()
        guard fstat(folder.number, &place) == 0 else { throw FileFailure.unwritable(path) }
        let isShared = place.st_mode & S_ISVTX != 0 && place.st_mode & S_IWOTH != 0
        guard !isShared || link.st_uid == geteuid() || link.st_uid == place.st_uid else {
            throw FileFailure.cannotWrite(
                path: path, reason: "it leads through a link that another user put into \(directory), which all may write to")
        }
    }

    private static func content(of link: String, in folder: Descriptor, path: String) throws -> String {
        var buffer = [UInt8](repeating: 0, count: FilePath.byteLimit + 1)
        let count = buffer.withUnsafeMutableBytes { bytes in
            link.withForeignCString {
                readlinkat(folder.number, $0, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
            }
        }
        guard count > 0 else { throw FileFailure.unwritable(path) }
        return String(foreignBytes: buffer[..<count])
    }
}
