import LuaRuntime
import Tensors

/// Dimensions and ranges as scripts count them: from 1, or with negative numbers from the end. Messages count so too.
extension LuaCall {
    /// Argument `position` as a dimension of `shape`, counted from 0.
    func dimension(_ position: Int, of shape: Shape) throws -> Int {
        try dimension(try integer(position, "dim"), position, "dim", rank: shape.rank)
    }

    /// An order of the dimensions of `shape`, given as numbers or as one array, counted from 0.
    func order(_ position: Int, of shape: Shape) throws -> [Int] {
        let given = try TensorClass.shape(self, from: position)
        let order = try given.map { try dimension($0, position, "order", rank: shape.rank) }
        guard order.sorted() == Array(0..<shape.rank) else {
            throw invalid(
                position, "order",
                "must name each of the \(shape.rank) dimensions once, got \(given.map(String.init).joined(separator: ", "))")
        }
        return order
    }

    /// Arguments `position` to `position` + 2 as first element, last element and step along a dimension of `extent`,
    /// as bounds counted from 0.
    func range(_ position: Int, dimension: Int, extent: Int) throws -> (bounds: Range<Int>, step: Int) {
        let first = try integer(position, "first")
        let last = try optionalInteger(position + 1, "last") ?? extent
        let step = try optionalInteger(position + 2, "step") ?? 1
        guard first >= 1, last <= extent, first - 1 <= last, step >= 1 else {
            throw invalid(
                position, "first",
                "to last must lie in 1…\(extent), which dimension \(dimension + 1) has, with a step of at least 1, "
                    + "got \(first)…\(last) by \(step)")
        }
        return (first - 1..<last, step)
    }

    private func dimension(_ dim: Int, _ position: Int, _ name: String, rank: Int) throws -> Int {
        guard rank > 0 else { throw invalid(position, name, "cannot be given: a scalar has no dimensions") }
        guard dim != 0, dim >= -rank, dim <= rank else {
            throw invalid(position, name, "must be in 1…\(rank), or in -\(rank)…-1 from the end, got \(dim)")
        }
        return dim > 0 ? dim - 1 : rank + dim
    }
}
