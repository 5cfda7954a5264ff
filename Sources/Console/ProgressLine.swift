import Basics

/// How far one piece of work has come, and the line that shows it.
package struct ProgressLine {
    var label: String
    var completed: Int
    var total: Int
    var note: String
    /// Seconds since the first report.
    var elapsedSeconds: Double
    /// Steps done since the first report, which the rate is measured over: the step before it may have been slow with
    /// warming up.
    var timedCount: Int

    package init(
        label: String, completed: Int, total: Int, note: String, elapsedSeconds: Double, timedCount: Int
    ) {
        self.label = label
        self.completed = completed
        self.total = total
        self.note = note
        self.elapsedSeconds = elapsedSeconds
        self.timedCount = timedCount
    }

    private var fraction: Double { total > 0 ? min(1, max(0, Double(completed) / Double(total))) : 0 }

    private var rate: Double? {
        timedCount > 0 && elapsedSeconds > 0 ? Double(timedCount) / elapsedSeconds : nil
    }

    private var counts: String { total > 0 ? "\(completed)/\(total)" : "\(completed)" }

    /// The bar for a terminal, no wider than `width`. What does not fit is left out: first the note, then the time,
    /// the rate, the count, and at last the bar itself.
    /// - Parameter prefix: what the work is part of: `fit 1/3 › `.
    package func bar(width: Int, prefix: String, usesColor: Bool) -> String {
        let name = prefix + label
        var figures = total > 0 ? [percentText, counts] : [counts]
        if let rate { figures.append(Self.rateText(rate)) }
        if let rate, total > completed { figures.append(Self.timeText((Double(total) - Double(completed)) / rate) + " left") }
        if !note.isEmpty { figures.append(note) }
        let barWidth = min(24, max(8, width / 4))
        func lineWidth() -> Int { name.count + 2 + barWidth + figures.reduce(0) { $0 + 2 + $1.count } }
        while figures.count > 1, lineWidth() > width { figures.removeLast() }
        guard lineWidth() <= width else { return String((name + "  " + (figures.first ?? "")).prefix(width)) }
        return ([name, Self.rail(fraction, width: barWidth, usesColor: usesColor)] + figures).joined(separator: "  ")
    }

    /// The line for a log.
    func plainText(_ heading: String) -> String {
        var parts = ["\(label): \(heading)"]
        if total > 0, heading != counts { parts.append("(\(counts))") }
        if let rate { parts.append(Self.rateText(rate)) }
        if !note.isEmpty { parts.append(note) }
        return parts.joined(separator: "  ")
    }

    /// What is left on the screen when the work is over.
    var summary: String {
        var parts = [label, total > 0 && completed < total ? "stopped at \(counts)" : counts]
        parts.append("in " + Self.timeText(elapsedSeconds))
        if let rate { parts.append(Self.rateText(rate)) }
        if !note.isEmpty { parts.append(note) }
        return parts.joined(separator: "  ")
    }

    var countText: String { counts }

    var percentText: String {
        let text = DecimalText.fixed((fraction * 100).rounded(.down), 0) + " %"
        return String(repeating: " ", count: max(0, 5 - text.count)) + text
    }

    /// Quarters of the work that are done: 0…4.
    var quarter: Int { total > 0 ? Int(fraction * 4) : 0 }

    private static func rail(_ fraction: Double, width: Int, usesColor: Bool) -> String {
        let full = Int(fraction * Double(width))
        return TextStyle.bar.apply(to: String(repeating: "━", count: full), where: usesColor)
            + TextStyle.faint.apply(to: String(repeating: usesColor ? "━" : "─", count: width - full), where: usesColor)
    }

    package static func rateText(_ rate: Double) -> String {
        rate >= 1 || rate == 0 ? DecimalText.fixed(rate, rate < 100 ? 1 : 0) + "/s" : timeText(1 / rate) + " each"
    }

    /// `0.8 s`, `42 s`, `3:07`, `1:02:33`.
    package static func timeText(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 3.6e6 else { return "–" }
        if seconds < 10 { return DecimalText.fixed(seconds, 1) + " s" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        if whole < 3600 { return "\(whole / 60):\(two(whole % 60))" }
        return "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }
}
