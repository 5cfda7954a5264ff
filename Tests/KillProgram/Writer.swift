import CKilling
import Foundation

/// A copy of this process that saves.
struct Writer {
    private let process: pid_t

    /// Begins a process in `directory`, and comes back when that has begun with `body`.
    init(in directory: String, isWithoutUnnamed: Bool, _ body: () throws -> Void) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Broken(what: "no pipe: \(String(cString: strerror(errno)))") }
        process = fork_process()
        if process == 0 {
            guard chdir(directory) == 0, !isWithoutUnnamed || refuse_unnamed_files() else { _exit(3) }
            setenv("XDG_CACHE_HOME", directory, 1)
            _ = write(ends[1], "x", 1)
            do {
                try body()
                _exit(0)
            } catch {
                FileHandle.standardError.write(Data("KillProgram: \(error)\n".utf8))
                _exit(4)
            }
        }
        close(ends[1])
        var byte: UInt8 = 0
        _ = read(ends[0], &byte, 1)
        close(ends[0])
        guard process > 0 else { throw Broken(what: "no process: \(String(cString: strerror(errno)))") }
    }

    /// Ends it as nothing can prevent.
    /// - Throws: `Broken` where it had ended by itself.
    func kill() throws {
        Foundation.kill(process, SIGKILL)
        let status = wait()
        guard status & 0x7F == SIGKILL else { throw Broken(what: "a process that saves ended by itself, with status \(status >> 8)") }
    }

    /// - Throws: `Broken` where it fails.
    func finish() throws {
        let status = wait()
        guard status == 0 else { throw Broken(what: "a process that saves ended with status \(status >> 8) and signal \(status & 0x7F)") }
    }

    private func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    struct Broken: Error, CustomStringConvertible {
        let what: String
        var description: String { what }
    }
}
