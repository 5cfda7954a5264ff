import Basics
import Console
import Testing

@Suite struct ConsoleProgressTests {
    /// A clock that is set by hand, and what was written.
    private final class Screen: Sendable {
        let seconds = Guarded(0.0)
        let text = Guarded("")

        func progress(isInteractive: Bool, isQuiet: Bool = false, usesColor: Bool = false) -> ConsoleProgress {
            ConsoleProgress(
                terminal: Terminal(descriptor: -1, isInteractive: isInteractive, usesColor: usesColor), isQuiet: isQuiet,
                clock: { self.seconds.withLock { $0 } }, write: { text in self.text.withLock { $0 += text } })
        }

        func pass(_ elapsed: Double) { seconds.withLock { $0 += elapsed } }
        var shown: String { text.withLock { $0 } }
        func clear() { text.withLock { $0 = "" } }
    }

    @Test func logsGetALineAtEachQuarter() {
        let screen = Screen()
        let progress = screen.progress(isInteractive: false)
        for step in 1...100 {
            progress.report(label: "score", completed: step, total: 100, note: "loss 0.5")
            screen.pass(0.1)
        }
        progress.finish(label: "score")
        let lines = screen.shown.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines.first == "score: 1/100  loss 0.5")
        #expect(lines[1] == "score: 25 %  (25/100)  10.0/s  loss 0.5")
        #expect(lines.last == "score: 100 %  (100/100)  10.0/s  loss 0.5")
        #expect(!screen.shown.contains("\u{1B}") && !screen.shown.contains("\r"))
    }

    @Test func logsLeaveOutWorkInsideOtherWork() {
        let screen = Screen()
        let progress = screen.progress(isInteractive: false)
        progress.report(label: "fit", completed: 1, total: 4, note: "")
        progress.report(label: "epoch", completed: 1, total: 2, note: "")
        #expect(!screen.shown.contains("epoch"))
    }

    @Test(arguments: [true, false])
    func quietIsSilent(isInteractive: Bool) {
        let screen = Screen()
        let progress = screen.progress(isInteractive: isInteractive, isQuiet: true)
        for step in 1...10 {
            progress.report(label: "score", completed: step, total: 10, note: "")
            screen.pass(1)
        }
        progress.makeRoom()
        progress.finish(label: "score")
        #expect(screen.shown == "")
    }

    @Test func shortWorkShowsNoBar() {
        let screen = Screen()
        let progress = screen.progress(isInteractive: true)
        for step in 1...10 {
            progress.report(label: "score", completed: step, total: 10, note: "")
            screen.pass(0.01)
        }
        progress.finish(label: "score")
        #expect(screen.shown == "")
    }

    @Test func barsAreRedrawnInPlaceAndLeaveALine() {
        let screen = Screen()
        let progress = screen.progress(isInteractive: true)
        for step in 1...10 {
            progress.report(label: "score", completed: step, total: 10, note: "")
            screen.pass(1)
        }
        #expect(screen.shown.hasPrefix("\r") && !screen.shown.contains("\n"))
        #expect(screen.shown.contains("50 %  5/10  1.0/s  5.0 s left"))
        screen.clear()
        progress.finish(label: "score")
        #expect(screen.shown == "\r\u{1B}[Kscore  10/10  in 9.0 s  1.0/s\n")
    }

    @Test func otherOutputStartsOnACleanLine() {
        let screen = Screen()
        let progress = screen.progress(isInteractive: true)
        progress.makeRoom()
        #expect(screen.shown == "")
        for step in 1...2 {
            progress.report(label: "score", completed: step, total: 10, note: "")
            screen.pass(1)
        }
        screen.clear()
        progress.makeRoom()
        progress.makeRoom()
        #expect(screen.shown == "\r\u{1B}[K")
        progress.report(label: "score", completed: 3, total: 10, note: "")
        #expect(screen.shown.contains("3/10"))
    }

    @Test func whatWasForgottenStandsBeforeNothing() {
        let screen = Screen()
        let progress = screen.progress(isInteractive: true)
        progress.report(label: "fit", completed: 1, total: 3, note: "")
        screen.pass(1)
        progress.reset()
        progress.report(label: "score", completed: 1, total: 4, note: "")
        screen.pass(1)
        progress.report(label: "score", completed: 2, total: 4, note: "")
        #expect(screen.shown.contains("score") && !screen.shown.contains("fit 1/3"))
    }

    @Test func workInsideOtherWorkSharesItsLine() {
        let screen = Screen()
        let progress = screen.progress(isInteractive: true)
        progress.report(label: "fit", completed: 1, total: 3, note: "")
        screen.pass(1)
        progress.report(label: "epoch", completed: 1, total: 4, note: "")
        #expect(screen.shown.contains("fit 1/3 › epoch  "))
    }

    @Test(arguments: [20, 30, 45, 60, 79, 200])
    func linesAreNeverWiderThanTheTerminal(width: Int) {
        let line = ProgressLine(
            label: "re-estimating statistics", completed: 1234, total: 5000, note: "loss 0.1234 accuracy 91.2 %",
            elapsedSeconds: 100, timedCount: 1200)
        let bar = line.bar(width: width, prefix: "", usesColor: false)
        #expect(bar.count <= width)
        #expect(bar.contains("loss") == (width == 200))
    }

    @Test(arguments: [(0.84, "0.8 s"), (42, "42 s"), (187, "3:07"), (3753, "1:02:33"), (.infinity, "–")])
    func timesReadAsOnAClock(seconds: Double, text: String) {
        #expect(ProgressLine.timeText(seconds) == text)
    }
}
