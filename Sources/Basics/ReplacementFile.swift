#if canImport(Glibc)
    import Glibc
#endif

/// The bytes that are to become a file, until all of them are there.
///
/// Where the file system can (O_TMPFILE), they have no name until they are whole, so that a process that is killed
/// leaves nothing. Elsewhere, and for the moment of the exchange, they have a name in the file's folder that nobody can
/// foretell, and its owner holds a lock on it while it lives: what is not locked was left by a dead process, and goes
/// with the next save of that file.
/// - Reference: Linux man-pages, open(2), O_TMPFILE; flock(2); rename(2).
final class ReplacementFile {
    /// What errors call the file.
    private let path: String
    private let folder: Descriptor
    private let name: String
    private let existing: stat?
    private let descriptor: Descriptor
    private var temporaryName: String?

    init(_ path: String, in folder: Descriptor, name: String, existing: stat?) throws {
        (self.path, self.folder, self.name, self.existing) = (path, folder, name, existing)
        Self.removeLeftovers(of: name, in: folder)
        // What replaces a file that is private must not be readable before it has that file's rights.
        let mode: mode_t = existing == nil ? 0o666 : 0o600
        if let unnamed = Self.openUnnamed(in: folder, mode) {
            descriptor = unnamed
        } else {
            (descriptor, temporaryName) = try Self.openNamed(name, in: folder, mode, path: path)
        }
    }

    deinit {
        if let temporaryName { _ = temporaryName.withForeignCString { unlinkat(folder.number, $0, 0) } }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws { try descriptor.write(bytes, path: path) }

    /// Puts the bytes in the place of the file, on the disk too.
    func commit() throws {
        if let existing { try keepRights(of: existing) }
        guard fsync(descriptor.number) == 0 else { throw FileFailure.unwritable(path) }
        if try temporaryName != nil || !linkDirectly() {
            let temporary = try temporaryName ?? linkUnderTemporaryName()
            let status = temporary.withForeignCString { temporary in
                name.withForeignCString { renameat(folder.number, temporary, folder.number, $0) }
            }
            guard status == 0 else { throw FileFailure.unwritable(path) }
            temporaryName = nil
        }
        try syncFolder()
    }

    // MARK: Opening

    /// O_TMPFILE, which Swift does not import; it is the same for x86-64 and arm64.
    private static let withoutName: Int32 = 0o20000000 | O_DIRECTORY

    /// `nil` where the file system has no files without a name, or nothing shows them under `/proc`.
    private static func openUnnamed(in folder: Descriptor, _ mode: mode_t) -> Descriptor? {
        let number = openat(folder.number, ".", withoutName | O_WRONLY | O_CLOEXEC, mode)
        guard number >= 0 else { return nil }
        let file = Descriptor(number)
        // A lock that cannot be had only means that nobody will clean up after this process.
        flock(number, LOCK_EX | LOCK_NB)
        return access(linkPath(of: file), F_OK) == 0 ? file : nil
    }

    private static func openNamed(
        _ name: String, in folder: Descriptor, _ mode: mode_t, path: String
    ) throws -> (Descriptor, String) {
        while true {
            let temporary = temporaryName(for: name)
            let number = temporary.withForeignCString {
                openat(folder.number, $0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
            }
            if number < 0, errno == EEXIST { continue }
            guard number >= 0 else { throw FileFailure.unwritable(path) }
            let file = Descriptor(number)
            // Between the opening and the lock another process may have taken the file for one without an owner.
            if flock(number, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { continue }
            var info = stat()
            if fstat(number, &info) == 0, info.st_nlink > 0 { return (file, temporary) }
        }
    }

    private static func linkPath(of file: Descriptor) -> String { "/proc/self/fd/\(file.number)" }

    // MARK: Taking the place

    /// Owner, group and mode of the file that is replaced. Only root gives files away, so one of another owner becomes
    /// the writer's; a group that cannot be kept gets no rights, because they were meant for another.
    private func keepRights(of existing: stat) throws {
        var own = stat()
        guard fstat(descriptor.number, &own) == 0 else { throw FileFailure.unwritable(path) }
        var mode = existing.st_mode & 0o777
        if (own.st_uid, own.st_gid) != (existing.st_uid, existing.st_gid),
            fchown(descriptor.number, existing.st_uid, existing.st_gid) != 0, own.st_gid != existing.st_gid,
            fchown(descriptor.number, uid_t.max, existing.st_gid) != 0
        {
            mode &= 0o707
        }
        guard fchmod(descriptor.number, mode) == 0 else { throw FileFailure.unwritable(path) }
    }

    /// Gives the file its name where nothing has it; `false` where something does.
    private func linkDirectly() throws -> Bool {
        if existing != nil { return false }
        if link(as: name) { return true }
        guard errno == EEXIST else { throw FileFailure.unwritable(path) }
        return false
    }

    private func link(as name: String) -> Bool {
        name.withForeignCString {
            linkat(AT_FDCWD, Self.linkPath(of: descriptor), folder.number, $0, AT_SYMLINK_FOLLOW) == 0
        }
    }

    private func linkUnderTemporaryName() throws -> String {
        while true {
            let temporary = Self.temporaryName(for: name)
            if link(as: temporary) {
                temporaryName = temporary
                return temporary
            }
            guard errno == EEXIST else { throw FileFailure.unwritable(path) }
        }
    }

    /// Makes the new name last too. A folder that may not be read cannot be synced, nor can some file systems'.
    private func syncFolder() throws {
        let number = openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return }
        let readable = Descriptor(number)
        guard fsync(readable.number) == 0 || errno == EINVAL || errno == EROFS else { throw FileFailure.unwritable(path) }
    }

    // MARK: Temporary names

    private static let ending = ".partial"

    /// What all temporary names for `name` begin with; short enough for the 255 bytes of a name.
    private static func beginning(for name: String) -> String {
        var kept = name[...]
        while kept.utf8.count > 255 - 2 - 16 - ending.utf8.count { kept.unicodeScalars.removeLast() }
        return ".\(kept)."
    }

    private static func temporaryName(for name: String) -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return beginning(for: name) + String(repeating: "0", count: 16 - digits.count) + digits + ending
    }

    private static func isTemporary(_ candidate: String, for name: String) -> Bool {
        let beginning = beginning(for: name)
        // Byte by byte, because names that differ only in their normal form are different files.
        guard candidate.utf8.starts(with: beginning.utf8), candidate.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
        else { return false }
        let digits = candidate.utf8.dropFirst(beginning.utf8.count).dropLast(ending.utf8.count)
        return digits.count == 16 && digits.allSatisfy { Array("0123456789abcdef".utf8).contains($0) }
    }

    /// Removes what dead processes left of earlier saves of `name`.
    /// - Complexity: O(entries of the folder).
    private static func removeLeftovers(of name: String, in folder: Descriptor) {
        let number = openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return }
        for (candidate, _) in DirectoryListing.content(of: Descriptor(number)) where isTemporary(candidate, for: name) {
            let number = candidate.withForeignCString {
                openat(folder.number, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            }
            guard number >= 0 else { continue }
            let file = Descriptor(number)
            var info = stat()
            guard fstat(number, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_uid == geteuid(),
                flock(file.number, LOCK_EX | LOCK_NB) == 0
            else { continue }
            _ = candidate.withForeignCString { unlinkat(folder.number, $0, 0) }
        }
    }
}
