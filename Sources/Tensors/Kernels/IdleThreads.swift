#if canImport(Glibc)
    import Glibc
#endif

/// How long threads that have nothing to do spin before they sleep.
///
/// libgomp lets them spin "forever" by default. Beside a busy neighbour the spinning thread then holds the processor that
/// the working one waits for, and two threads become far slower than one. A short spin keeps the speed of a quiet
/// machine without that. libgomp reads its setting before `main`, so only a new start of the program can change it.
public enum IdleThreads {
    /// Lets the running program begin anew with a short spin, unless its environment says already what idle threads do
    /// (`GOMP_SPINCOUNT` or `OMP_WAIT_POLICY`).
    ///
    /// To be called first of all in `main`. It does not return where it starts the program anew; where the system refuses
    /// that, the program goes on with libgomp's own setting.
    public static func restartWithShortSpin() {
        guard getenv("GOMP_SPINCOUNT") == nil, getenv("OMP_WAIT_POLICY") == nil else { return }
        setenv("GOMP_SPINCOUNT", "20000", 1)
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        unsetenv("GOMP_SPINCOUNT")
    }

    /// What the environment says, for reports: `GOMP_SPINCOUNT=20000`, or that nothing does.
    public static var setting: String {
        for name in ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"] {
            if let value = getenv(name) { return "\(name)=\(String(cString: value))" }
        }
        return "libgomp's default: idle threads spin for long"
    }
}
