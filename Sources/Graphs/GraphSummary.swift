import Basics
import Operations
import Tensors

extension Graph {
    /// A table of the nodes with parameters: shapes, parameters, operations, and what they came from.
    public func summary() throws -> String {
        var table = TextTable(["layer", "operation", "output", "parameters", "MMACs", "from"])
        for row in try CostModel.nodeCosts(of: self) where row.operation != "batch_norm" {
            let from = row.origin.map { "\($0.layer) \($0.format) \($0.position + 1)/\($0.count)" } ?? ""
            table.add([
                row.node, row.operation, row.outputShape.dims.dropFirst().map(String.init).joined(separator: "×"),
                DecimalText.grouped(row.parameterCount), DecimalText.fixed(Double(row.macCount) / 1e6, 3), from,
            ])
        }
        let cost = try CostModel.cost(of: self)
        let total =
            "\(name): \(DecimalText.grouped(cost.parameterCount)) parameters, "
            + "\(DecimalText.fixed(Double(cost.macCount) / 1e6, 2)) MMACs, \(DecimalText.bytes(cost.byteCount))"
        return table.render() + "\n" + total
    }
}
