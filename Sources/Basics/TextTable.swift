/// A plain-text table whose columns line up: numbers to the right, words to the left.
package struct TextTable {
    private let headings: [String]
    private var rows: [[String]] = []

    public init(_ headings: [String]) { self.headings = headings }

    /// Adds a row; missing cells stay empty, surplus ones are dropped.
    public mutating func add(_ cells: [String]) {
        rows.append((0..<headings.count).map { $0 < cells.count ? cells[$0] : "" })
    }

    /// The table as lines without a trailing newline.
    public func render() -> String {
        let widths = headings.indices.map { c in ([headings] + rows).map { $0[c].count }.max() ?? 0 }
        let right = headings.indices.map { c in rows.allSatisfy { Self.isNumeric($0[c]) } && !rows.isEmpty }
        func line(_ cells: [String]) -> String {
            var text = ""
            for (c, cell) in cells.enumerated() {
                let padding = String(repeating: " ", count: widths[c] - cell.count)
                if c > 0 { text += "  " }
                text += right[c] ? padding + cell : cell + padding
            }
            while text.last == " " { text.removeLast() }
            return text
        }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        return ([line(headings), rule] + rows.map(line)).joined(separator: "\n")
    }

    private static func isNumeric(_ cell: String) -> Bool {
        cell.isEmpty || cell == "–" || cell.first!.isNumber || (cell.count > 1 && "-+±".contains(cell.first!))
    }
}
