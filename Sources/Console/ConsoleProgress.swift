public import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// Shows progress on standard error: a bar that is redrawn in place on a terminal, a few plain lines elsewhere.
///
/// Work inside other work (an epoch of a fit) shares its line: `fit 1/3 › epoch  ━━━━──── …`. A bar appears once the
/// work has taken a moment, and leaves one line behind if it took long.
public final class ConsoleProgress: ProgressReporter {
    private struct Work {
        var line: ProgressLine
        let startSeconds: Double
        let firstCount: Int
        /// The last quarter that a log was told of.
        var quarter = -1
    }

    private struct State {
        /// Outermost first.
        var works: [Work] = []
        var isDrawn = false
        var lastDrawSeconds = -Double.infinity
    }

    private let state = Guarded(State())
    private let terminal: Terminal
    private let isQuiet: Bool
    private let clock: @Sendable () -> Double
    private let write: @Sendable (String) -> Void

    /// Work that is over before this shows no bar.
    private static let patienceSeconds = 0.25
    /// Work that took longer leaves a line behind.
    private static let memorableSeconds = 2.0
    private static let redrawSeconds = 0.06

    /// - Parameters:
    ///   - clock: seconds since some fixed moment.
    ///   - write: where the lines go, instead of `terminal`.
    public init(
        terminal: Terminal = .standardError, isQuiet: Bool = false,
        clock: @escaping @Sendable () -> Double = ConsoleProgress.monotonicSeconds,
        write: (@Sendable (String) -> Void)? = nil
    ) {
        self.terminal = terminal
        self.isQuiet = isQuiet
        self.clock = clock
        self.write = write ?? { terminal.write($0) }
    }

    public static let monotonicSeconds: @Sendable () -> Double = {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    public func report(label: String, completed: Int, total: Int, note: String) {
        if isQuiet { return }
        let now = clock()
        state.withLock { state in
            let index = update(&state.works, label: label, completed: completed, total: total, note: note, now: now)
            if terminal.isInteractive { draw(&state, index, now) } else { log(&state.works, index) }
        }
    }

    public func finish(label: String) {
        if isQuiet { return }
        state.withLock { state in
            guard let index = state.works.lastIndex(where: { $0.line.label == label }) else { return }
            let work = state.works.remove(at: index)
            guard terminal.isInteractive else { return }
            erase(&state)
            if state.works.isEmpty, work.line.elapsedSeconds >= Self.memorableSeconds {
                write(String(work.line.summary.prefix(terminal.columnCount - 1)) + "\n")
            }
        }
    }

    /// Takes the bar off its line, so that other output can start there. It comes back with the next report.
    public func makeRoom() { state.withLock { erase(&$0) } }

    /// Forgets all work, as where an interruption or an error ended it.
    public func reset() {
        state.withLock { state in
            erase(&state)
            state.works = []
        }
    }

    // MARK: -

    private func update(
        _ works: inout [Work], label: String, completed: Int, total: Int, note: String, now: Double
    ) -> Int {
        if let index = works.lastIndex(where: { $0.line.label == label }) {
            works[index].line.completed = completed
            works[index].line.total = total
            works[index].line.note = note
            works[index].line.elapsedSeconds = now - works[index].startSeconds
            works[index].line.timedCount = max(0, completed) - max(0, works[index].firstCount)
            return index
        }
        let line = ProgressLine(
            label: label, completed: completed, total: total, note: note, elapsedSeconds: 0, timedCount: 0)
        works.append(Work(line: line, startSeconds: now, firstCount: completed))
        return works.count - 1
    }

    private func draw(_ state: inout State, _ index: Int, _ now: Double) {
        let work = state.works[index]
        guard now - state.works[0].startSeconds >= Self.patienceSeconds,
            now - state.lastDrawSeconds >= Self.redrawSeconds
        else { return }
        let prefix = state.works[..<index].map { "\($0.line.label) \($0.line.countText) › " }.joined()
        let text = work.line.bar(width: terminal.columnCount - 1, prefix: prefix, usesColor: terminal.usesColor)
        write("\r\(text)\u{1B}[K")
        state.isDrawn = true
        state.lastDrawSeconds = now
    }

    private func erase(_ state: inout State) {
        guard state.isDrawn else { return }
        write("\r\u{1B}[K")
        state.isDrawn = false
        state.lastDrawSeconds = -.infinity
    }

    /// Lines at the start and at each quarter, of the outermost work only: a log is no place for every epoch's bar.
    private func log(_ works: inout [Work], _ index: Int) {
        guard index == 0 else { return }
        let line = works[0].line
        let quarter = line.quarter
        guard quarter > works[0].quarter else { return }
        works[0].quarter = quarter
        write(line.plainText(quarter == 0 ? line.countText : "\(quarter * 25) %") + "\n")
    }
}
