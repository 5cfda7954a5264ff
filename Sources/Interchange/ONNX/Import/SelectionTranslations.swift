import Operations
import Tensors

/// Operators that take parts of a tensor, or put something around it.
enum SelectionTranslations {
    static func gather(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let (x, places) = (try node.input(0), try node.input(1))
        guard let extents = try assembly.extents(of: x), !extents.isEmpty else { throw node.malformed("the input is a scalar") }
        let axis = try node.dimension(try node.int("axis", default: 0), rank: extents.count)
        if case .constant(let constant) = places, constant.tensor.rank == 0, let extent = extents[axis].fixed {
            guard let place = Int(exactly: try constant.tensor.scalar()), place >= -extent, place < extent else {
                throw node.malformed("place \(constant.tensor) of \(extent)")
            }
            let start = place < 0 ? place + extent : place
            let part = try assembly.add(
                node.plainName + ".part", Slice(dimension: axis, from: start, to: start + 1), [x])
            var target = extents
            target.remove(at: axis)
            return [try assembly.reshape(part, to: target, node.plainName)]
        }
        return [try assembly.add(node.plainName, Gather(dimension: axis), [x, places])]
    }

    static func slice(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        var x = try node.input(0)
        guard let extents = try assembly.extents(of: x) else { return [.unknown] }
        let isNew = node.opset >= 10
        guard let starts = try isNew ? node.wholeNumbers(1, "starts") : node.ints("starts"),
            let ends = try isNew ? node.wholeNumbers(2, "ends") : node.ints("ends"), starts.count == ends.count
        else { throw node.malformed("starts and ends are missing or differ in number") }
        let axes = try (isNew ? node.wholeNumbers(3, "axes") : node.ints("axes")) ?? Array(starts.indices)
        let steps = try (isNew ? node.wholeNumbers(4, "steps") : nil) ?? [Int](repeating: 1, count: starts.count)
        guard axes.count == starts.count, steps.count == starts.count, !steps.contains(0) else {
            throw node.malformed("axes \(axes) or steps \(steps) do not fit starts \(starts)")
        }
        for (i, number) in axes.enumerated() {
            let axis = try node.dimension(number, rank: extents.count)
            x = try part(of: x, extents[axis], axis, starts[i], ends[i], steps[i], node, &assembly)
        }
        return [x]
    }

    private static func part(
        of x: ONNXValue, _ extent: Extent, _ axis: Int, _ start: Int, _ end: Int, _ step: Int, _ node: ONNXNode,
        _ assembly: inout GraphAssembly
    ) throws -> ONNXValue {
        let takesAll = start == 0 && step == 1 && (end >= Int(Int32.max) || extent == .batch && assembly.isBatch(Extent(end)))
        guard let extent = extent.fixed else {
            if takesAll { return x }
            throw node.unsupported("taking a part of the samples")
        }
        func resolve(_ place: Int) -> Int { place < 0 ? place.addingReportingOverflow(extent).partialValue : place }
        if step > 0 {
            let first = min(max(resolve(start), 0), extent)
            let last = min(max(end < -extent ? 0 : resolve(end), first), extent)
            if first == 0, last == extent, step == 1 { return x }
            return try assembly.add(
                node.plainName, Slice(dimension: axis, from: first, to: last, by: min(step, max(1, extent))), [x])
        }
        let first = min(max(resolve(start), 0), extent - 1)
        let last = end < -extent ? -1 : min(max(resolve(end), -1), extent - 1)
        guard extent <= placeLimit else { throw node.unsupported("turning \(extent) elements round") }
        let places = Array(stride(from: first, to: last, by: max(step, -max(1, extent))))
        return try select(x, axis, places, node, &assembly)
    }

    /// Places are written out, so there must not be too many.
    private static let placeLimit = 1 << 22

    /// The parts of x at `places` of a dimension.
    private static func select(
        _ x: ONNXValue, _ axis: Int, _ places: [Int], _ node: ONNXNode, _ assembly: inout GraphAssembly
    ) throws -> ONNXValue {
        let constant = ONNXConstant(try Tensor(places.map { Int64($0) }), name: "\(node.title).places.\(axis)", form: "\(places)")
        return try assembly.add(node.plainName, Gather(dimension: axis), [x, .constant(constant)])
    }

    static func split(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let extents = try assembly.extents(of: x), !extents.isEmpty else { throw node.malformed("the input is a scalar") }
        let axis = try node.dimension(try node.int("axis", default: 0), rank: extents.count)
        guard let extent = extents[axis].fixed else { throw node.unsupported("dividing the samples") }
        let count = try node.int("num_outputs") ?? node.outputCount
        guard count >= 1, count == node.outputCount else { throw node.malformed("\(count) outputs are promised") }
        let equal = (extent + count - 1) / count
        let sizes =
            try (node.opset < 13 ? node.ints("split") : node.wholeNumbers(1, "split"))
            ?? (0..<count).map { min(equal, max(0, extent - $0 * equal)) }
        guard sizes.count == count, sizes.allSatisfy({ (0...extent).contains($0) }), sizes.reduce(0, +) == extent else {
            throw node.malformed("parts of \(sizes) do not fill \(extent)")
        }
        var start = 0
        return try sizes.enumerated().map { position, size in
            defer { start += size }
            return try assembly.add(
                "\(node.plainName).\(position)", Slice(dimension: axis, from: start, to: start + size), [x])
        }
    }

    static func pad(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        var x = try node.input(0)
        guard let extents = try assembly.extents(of: x) else { return [.unknown] }
        let pads = try node.opset < 11 ? node.ints("pads") : node.wholeNumbers(1, "pads")
        let axes = try (node.opset < 18 ? nil : node.wholeNumbers(3, "axes")) ?? Array(extents.indices)
        guard let pads, pads.count == 2 * axes.count, pads.allSatisfy({ $0.magnitude < 1 << 20 }) else {
            throw node.malformed("pads do not fit the input")
        }
        let mode = try node.text("mode", default: "constant")
        let value =
            try node.opset < 11
            ? Float(node.float("value", default: 0)) : node.numbers(2, "the value")?.first ?? 0
        for (i, number) in axes.enumerated() {
            let axis = try node.dimension(number, rank: extents.count)
            let (before, after) = (pads[i], pads[i + axes.count])
            if before == 0, after == 0 { continue }
            if mode == "constant", before >= 0, after >= 0 {
                x = try surround(x, axis, before, after, value, node, &assembly)
                continue
            }
            guard let extent = extents[axis].fixed else { throw node.unsupported("padding the samples") }
            guard extent <= placeLimit else { throw node.unsupported("mode '\(mode)' on \(extent) elements") }
            let places = try (-before..<max(-before, extent + after)).map {
                try place($0, extent, mode, isRemoving: before < 0 || after < 0, node)
            }
            x = try select(x, axis, places, node, &assembly)
        }
        return [x]
    }

    private static func surround(
        _ x: ONNXValue, _ axis: Int, _ before: Int, _ after: Int, _ value: Float, _ node: ONNXNode,
        _ assembly: inout GraphAssembly
    ) throws -> ONNXValue {
        let operation = Pad(dimension: axis, before: before, after: after)
        if value == 0 { return try assembly.add(node.plainName, operation, [x]) }
        guard value.isFinite else { throw node.unsupported("padding with \(value)") }
        // Padded with zeros where the value is 0: relative to it.
        let shift = ONNXConstant(try .full([], Double(value)), name: node.title + ".value", form: "\(value)")
        let relative = try assembly.add(node.plainName + ".relative", Subtract(), [x, .constant(shift)])
        let padded = try assembly.add(node.plainName + ".zeros", operation, [relative])
        return try assembly.add(node.plainName, Add(), [padded, .constant(shift)])
    }

    /// The place an element of the padded dimension is copied from.
    private static func place(
        _ index: Int, _ extent: Int, _ mode: String, isRemoving: Bool, _ node: ONNXNode
    ) throws -> Int {
        if (0..<extent).contains(index) { return index }
        guard extent > 0 else { throw node.malformed("an empty dimension cannot be padded") }
        switch mode {
        case "edge": return min(max(index, 0), extent - 1)
        case "wrap": return ((index % extent) + extent) % extent
        case "reflect":
            let period = max(1, 2 * (extent - 1))
            let phase = ((index % period) + period) % period
            return phase < extent ? phase : period - phase
        default: throw node.unsupported(isRemoving ? "padding one end and removing from the other" : "mode '\(mode)'")
        }
    }
}
