import Basics

extension Plan: CustomStringConvertible {
    /// A table with a row for each layer, and below it what the plan keeps.
    public var description: String {
        var table = TextTable(["layer", "format", "ranks", "parameters", "kept", "why"])
        for row in rows {
            table.add([
                row.layer, row.ranks == nil ? "dense" : row.format, row.ranks.map { $0.map(String.init).joined(separator: " · ") } ?? "–",
                String(row.parameterCount), Self.share(row.parameterCount, of: row.denseParameterCount), row.reason,
            ])
        }
        let kept =
            "\(policy) policy: keeps \(Self.share(parameterCount, of: denseParameterCount)) of the parameters and "
            + "\(Self.share(macCount, of: denseMacCount)) of the MACs"
        return ([table.render(), kept + (bindingConstraint.map { ", bound by \($0)" } ?? "")] + notes).joined(separator: "\n")
    }

    private static func share(_ part: Int, of whole: Int) -> String {
        DecimalText.percent(Double(part) / Double(max(1, whole)))
    }
}
