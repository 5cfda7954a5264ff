import Graphs
import Operations
import Tensors

/// Operators that change shapes.
enum ShapeTranslations {
    static func reshape(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let own = try assembly.extents(of: x), var target = try node.extents(1, "the new shape") else {
            throw node.malformed("the new shape is missing")
        }
        let keepsZero = try node.flag("allowzero", default: false)
        for (position, extent) in target.enumerated() where extent.fixed == 0 && !keepsZero {
            guard position < own.count else { throw node.malformed("extent \(position) of \(target) copies none of \(own)") }
            target[position] = own[position]
        }
        if let open = target.firstIndex(of: Extent(-1)) {
            let others = target.enumerated().filter { $0.offset != open }.map(\.element)
            guard let all = Extent.count(own), let known = Extent.count(others) else {
                throw node.unsupported("the shape \(target)")
            }
            // In a file for a fixed number of samples, one of the numbers may stand for them.
            let isFixed = assembly.fixedBatch != nil && known.fixed != nil
            let count = isFixed ? Extent(all.constant + all.perSample * (assembly.fixedBatch ?? 0)) : all
            guard let extent = Extent.combine(count, known, .divide), Extent.count(others + [extent]) == count else {
                throw node.malformed("\(own) cannot become \(target)")
            }
            target[open] = extent
        }
        target = try assembly.openingBatch(target, for: x, own, node)
        return [try assembly.reshape(x, to: target, node.plainName)]
    }

    static func flatten(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let extents = try assembly.extents(of: x) else { return [.unknown] }
        let number = try node.int("axis", default: 1)
        let axis = number == extents.count ? number : try node.dimension(number, rank: max(1, extents.count))
        if axis == 1, case .value = x { return [try assembly.add(node.plainName, Flatten(), [x])] }
        guard let rows = Extent.count(extents[..<axis]), let columns = Extent.count(extents[axis...]) else {
            throw node.unsupported("the shape \(extents)")
        }
        return [try assembly.reshape(x, to: [rows, columns], node.plainName)]
    }

    private static func axes(_ node: ONNXNode) throws -> [Int]? {
        try node.opset >= 13 ? node.wholeNumbers(1, "axes") : node.ints("axes")
    }

    static func squeeze(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let extents = try assembly.extents(of: x) else { return [.unknown] }
        let dropped: Set<Int>
        if let axes = try axes(node) {
            dropped = Set(try axes.map { try node.dimension($0, rank: extents.count) })
        } else {
            dropped = Set(extents.indices.filter { extents[$0].fixed == 1 })
        }
        guard dropped.allSatisfy({ extents[$0].fixed == 1 }) else {
            throw node.malformed("dimensions \(dropped.sorted()) of \(extents) are not all 1")
        }
        let kept = extents.indices.filter { !dropped.contains($0) }.map { extents[$0] }
        return [try assembly.reshape(x, to: kept, node.plainName)]
    }

    static func unsqueeze(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard var extents = try assembly.extents(of: x), let axes = try axes(node) else {
            throw node.malformed("axes are missing")
        }
        let rank = extents.count + axes.count
        let positions = Set(try axes.map { try node.dimension($0, rank: rank) })
        guard positions.count == axes.count else { throw node.malformed("axes \(axes) name a dimension twice") }
        for position in positions.sorted() { extents.insert(Extent(1), at: position) }
        return [try assembly.reshape(x, to: extents, node.plainName)]
    }

    static func transpose(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let rank = try assembly.extents(of: x)?.count else { return [.unknown] }
        let order = try node.ints("perm") ?? Array((0..<rank).reversed())
        guard order.sorted() == Array(0..<rank) else { throw node.malformed("perm \(order) is no order of \(rank) dimensions") }
        if case .constant(let constant) = x {
            // Still the weight it was.
            return [.constant(constant.changed(try constant.tensor.permuted(order).contiguous(), "\(order)"))]
        }
        return [try assembly.add(node.plainName, Transpose(order: order), [x])]
    }

    static func concatenate(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        var parts = try node.inputs.indices.map { try node.input($0) }
        let shapes = try parts.map { try assembly.extents(of: $0) ?? [] }
        // Older exporters join an empty vector to others.
        parts = zip(parts, shapes).filter { $0.1 != [Extent(0)] }.map(\.0)
        guard let first = parts.first, let number = try node.int("axis") else { return [try node.input(0)] }
        guard let extents = try assembly.extents(of: first) else { return [.unknown] }
        let axis = try node.dimension(number, rank: extents.count)
        if parts.count == 1 { return [first] }
        let isBatched = shapes.contains { $0.first?.perSample == 1 }
        if axis != 0, isBatched {
            parts = try parts.map { part in
                guard case .constant(let constant) = part, let sample = try assembly.sample(of: constant) else { return part }
                let target = [.batch] + sample.tensor.shape.dims.dropFirst().map { Extent($0) }
                return try assembly.expand(.constant(sample), to: target, node.plainName + ".part")
            }
        }
        return [try assembly.add(node.plainName, Concatenate(dimension: axis), parts)]
    }

    static func expand(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        guard let target = try node.extents(1, "the shape") else { throw node.malformed("the shape is missing") }
        return [try assembly.expand(node.input(0), to: target, node.plainName)]
    }

    /// A value for every sample; without N in the shape it has been worked out before.
    static func constantOfShape(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        guard let target = try node.extents(0, "the shape") else { throw node.malformed("the shape is missing") }
        let value = ONNXConstant(try ShapeArithmetic.filling(node), name: node.title, form: "filling")
        return [try assembly.expand(.constant(value), to: target, node.plainName)]
    }
}

extension GraphAssembly {
    /// x in the shape `target`, whose extents may depend on N; x itself where that is its shape.
    mutating func reshape(_ x: ONNXValue, to target: [Extent], _ name: String) throws -> ONNXValue {
        guard let own = try extents(of: x), own != target else { return x }
        if case .extents(let elements, _) = x, target.count <= 1 { return .extents(elements, isScalar: target.isEmpty) }
        if case .constant(let constant) = x {
            guard target.allSatisfy({ $0.fixed.map { $0 >= 0 } ?? false }) else { throw refusal(own, target) }
            return .constant(try constant.reshaped(Shape(target.compactMap(\.fixed))))
        }
        var dims: [Int] = []
        for (position, extent) in target.enumerated() {
            if let fixed = extent.fixed {
                guard fixed >= 1 else { throw refusal(own, target) }
                dims.append(fixed)
            } else {
                dims.append(position < own.count && own[position] == extent ? 0 : -1)
            }
        }
        guard dims.filter({ $0 == -1 }).count <= 1 else { throw refusal(own, target) }
        return try add(name, Reshape(target: dims), [x])
    }

    private func refusal(_ own: [Extent], _ target: [Extent]) -> OperationFailure {
        .shapes(operation: "reshape", detail: "\(own) cannot become \(target)")
    }

    /// x repeated to fill `target` after broadcasting; a constant gets the batch of the first input.
    mutating func expand(_ x: ONNXValue, to target: [Extent], _ name: String) throws -> ONNXValue {
        guard let own = try extents(of: x) else { return .unknown }
        let rank = max(own.count, target.count)
        var needsBatch = false
        var (result, dims): ([Extent], [Int]) = ([], [])
        for position in 0..<rank {
            let (i, j) = (position - rank + own.count, position - rank + target.count)
            let mine = i >= 0 ? own[i] : Extent(1)
            let wanted = j >= 0 ? target[j] : Extent(1)
            let extent = wanted.fixed == 1 || mine == .batch && isBatch(wanted) ? mine : wanted
            result.append(extent)
            if let fixed = extent.fixed {
                dims.append(fixed)
            } else if mine == extent {
                dims.append(0)
            } else {
                guard position == 0, extent == .batch else {
                    throw OperationFailure.shapes(operation: "expand", detail: "\(own) cannot become \(target)")
                }
                needsBatch = true
                dims.append(0)
            }
        }
        if result == own { return x }
        let reference = needsBatch ? graph.inputs.first.map { [ONNXValue.value($0.name)] } ?? [] : []
        return try add(name, Expand(target: dims, borrowsBatch: !reference.isEmpty), [x] + reference)
    }

    /// Zeros around rows and columns.
    mutating func pad(_ x: ONNXValue, _ padding: [Int], _ name: String) throws -> ONNXValue {
        var result = x
        for axis in 0..<2 where padding[axis] != 0 || padding[axis + 2] != 0 {
            result = try add(
                name + ".pad", Pad(dimension: 2 + axis, before: padding[axis], after: padding[axis + 2]), [result])
        }
        return result
    }
}
