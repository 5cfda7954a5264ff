import Basics
public import Glibc

/// The built `moonrail`, run as a child process by the suites that test it from outside.
public enum BuiltCommand {
    /// Deadline of waits that would otherwise hang when something is broken; nothing is expected to come near it.
    public static let patienceSeconds = 20

    public struct Outcome {
        public var status: Int32
        public var output: String
        public var errors: String
    }

    /// What the build made beside the test bundle that is running: the command, or another product's file.
    public static func path(_ name: String = "moonrail") throws -> String {
        guard let tests = realpath("/proc/self/exe", nil) else { throw Broken(what: "/proc/self/exe cannot be read") }
        defer { free(tests) }
        var path = String(cString: tests)
        // The runner may be a helper of the toolchain; then its argument is the bundle.
        if !path.hasSuffix(".xctest"), let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) { path = bundle }
        path = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/" + name
        guard access(path, F_OK) == 0 else {
            throw Broken(what: "no \(path): build it with `swift build -c release --build-tests`")
        }
        return path
    }

    /// Runs the command, or another `program`, with `input` on its standard input.
    public static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:],
        program: String? = nil, patienceSeconds: Int = patienceSeconds
    ) throws -> Outcome {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let files = ["in", "out", "err"].map { directory + "/" + $0 }
        try AtomicFile.write(files[0], bytes: input.foreignBytes)
        let child = try spawn(arguments, environment: environment, program: program, isSessionLeader: false) { actions in
            posix_spawn_file_actions_addopen(&actions, 0, files[0], O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, files[1], O_WRONLY | O_CREAT, 0o600)
            posix_spawn_file_actions_addopen(&actions, 2, files[2], O_WRONLY | O_CREAT, 0o600)
        }
        let status = try wait(for: child, patienceSeconds: patienceSeconds)
        func text(_ path: String) throws -> String { String(foreignBytes: try AtomicFile.read(path)) }
        return Outcome(status: status, output: try text(files[1]), errors: try text(files[2]))
    }

    /// What children take over: limits of kernels and settings of sanitizers hold for all processes of a test.
    private static let inherited = [
        "DNNL_MAX_CPU_ISA", "MOONRAIL_MAX_CPU_ISA", "OPENBLAS_CORETYPE", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
        "UBSAN_OPTIONS",
    ]

    /// Starts the command; the environment is a small one of its own with `inherited`, plus `environment`.
    public static func spawn(
        _ arguments: [String], environment: [String: String], program: String? = nil, isSessionLeader: Bool,
        files: (inout posix_spawn_file_actions_t) -> Void
    ) throws -> pid_t {
        let path = try program ?? path()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        files(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads that tests run on block signals, and a child would inherit that: Ctrl-C would never arrive.
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        // POSIX_SPAWN_SETSID, which glibc shows to GNU sources only.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | (isSessionLeader ? 0x80 : 0))
        var variables = ["TERM": "xterm", "HOME": "/dev/null", "PATH": "/usr/bin:/bin", "MOONRAIL_HISTORY": "/dev/null"]
        for name in inherited { if let value = getenv(name) { variables[name] = String(cString: value) } }
        variables.merge(environment) { $1 }
        var argv = ([path] + arguments).map { $0.withForeignCString { strdup($0) } } + [nil]
        var envp = variables.map { "\($0)=\($1)".withForeignCString { strdup($0) } } + [nil]
        defer { for text in argv + envp { free(text) } }
        var child = pid_t()
        let status = posix_spawn(&child, path, &actions, &attributes, &argv, &envp)
        guard status == 0 else { throw Broken(what: "cannot start \(path): \(String(cString: strerror(status)))") }
        return child
    }

    /// The exit status; 128 + signal where one ended the child. A child that hangs is killed.
    public static func wait(for child: pid_t, patienceSeconds: Int = patienceSeconds) throws -> Int32 {
        var status: Int32 = 0
        for _ in 0..<(patienceSeconds * 100) {
            if waitpid(child, &status, WNOHANG) == child {
                return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
            }
            usleep(10_000)
        }
        kill(child, SIGKILL)
        waitpid(child, &status, 0)
        throw Broken(what: "the command did not end")
    }

    /// The command is missing, does not start or does not end.
    public struct Broken: Error, CustomStringConvertible {
        public let what: String
        public init(what: String) { self.what = what }
        public var description: String { what }
    }
}

/// A fresh directory for one test.
public func temporaryDirectory() throws -> String {
    var template = Array("/tmp/moonrail-test-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } }
    guard let made else { throw BuiltCommand.Broken(what: "no directory can be made under /tmp") }
    return made
}

public func removeDirectory(_ path: String) {
    guard let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { unlink(path + "/" + name) }
    }
    closedir(directory)
    rmdir(path)
}
