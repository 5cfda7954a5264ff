import Operations
import Tensors

/// Pooling over windows and means over dimensions.
enum PoolingTranslations {
    static func maximum(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        guard node.outputCount == 1 else { throw node.unsupported("the positions of the maxima") }
        return try pool(node, &assembly, .max)
    }

    static func average(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        try pool(node, &assembly, try node.flag("count_include_pad", default: false) ? .averageWithPadding : .average)
    }

    private static func pool(
        _ node: ONNXNode, _ assembly: inout GraphAssembly, _ kind: PoolingGeometry.Kind
    ) throws -> [ONNXValue] {
        guard let window = try node.ints("kernel_shape"), (1...2).contains(window.count),
            window.allSatisfy({ (1..<1 << 20).contains($0) })
        else { throw node.unsupported("windows other than of one or two dimensions") }
        let count = window.count
        let kernel = count == 1 ? [1] + window : window
        let stride = try ImageShape.pair(node, "strides", count)
        guard stride.allSatisfy({ $0 >= 1 }) else { throw node.malformed("strides are \(stride)") }
        guard try ImageShape.pair(node, "dilations", count) == [1, 1] else { throw node.unsupported("dilated windows") }
        let x = try node.input(0)
        let extents = try ImageShape.extents(of: x, count: count, node, assembly)
        let padding = try ImageShape.padding(node, count, extents: extents, reach: kernel, stride: stride)
        let ceiling =
            try node.flag("ceil_mode", default: false)
            ? surplus(extents: extents, kernel: kernel, stride: stride, padding: padding) : [0, 0]
        let y = try ImageShape.apply(to: x, count, node.plainName, &assembly) { image, assembly, name in
            if kind == .averageWithPadding, ceiling != [0, 0] {
                // The surplus that rounding up adds does not count, so what does count becomes part of the image.
                let padded = try assembly.pad(image, padding, name)
                let geometry = PoolingGeometry(kind: .average, window: kernel, stride: stride, padding: [0, 0] + ceiling)
                return try assembly.add(name, Pool2D(geometry), [padded])
            }
            let all = [padding[0], padding[1], padding[2] + ceiling[0], padding[3] + ceiling[1]]
            return try assembly.add(name, Pool2D(PoolingGeometry(kind: kind, window: kernel, stride: stride, padding: all)), [image])
        }
        return [y]
    }

    /// Rows below and columns right that complete the last window when the number of cells is rounded up; a window
    /// that would begin behind the image and its padding is left out.
    private static func surplus(extents: [Int], kernel: [Int], stride: [Int], padding: [Int]) -> [Int] {
        (0..<2).map { axis in
            let room = extents[axis] + padding[axis] + padding[axis + 2] - kernel[axis]
            guard room >= 0 else { return 0 }
            var cells = (room + stride[axis] - 1) / stride[axis]
            if cells * stride[axis] >= extents[axis] + padding[axis] { cells -= 1 }
            return max(0, cells * stride[axis] - room)
        }
    }

    static func globalAverage(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let extents = try assembly.extents(of: x), extents.count >= 3 else {
            throw node.malformed("the input needs at least 3 dimensions")
        }
        if extents.count == 4 { return [try assembly.add(node.plainName, GlobalAveragePool2D(), [x])] }
        let dimensions = Array(2..<extents.count)
        return [try assembly.add(node.plainName, ReduceMean(dimensions: dimensions, keepsDimensions: true), [x])]
    }

    static func mean(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let extents = try assembly.extents(of: x) else { return [.unknown] }
        guard let dimensions = try reduced(node, rank: extents.count, axesAreInputFrom: 18) else { return [x] }
        let keeps = try node.flag("keepdims", default: true)
        if dimensions == [2, 3], extents.count == 4 {
            let pooled = try assembly.add(node.plainName, GlobalAveragePool2D(), [x])
            return [keeps ? pooled : try assembly.reshape(pooled, to: Array(extents[..<2]), node.plainName + ".vector")]
        }
        return [try assembly.add(node.plainName, ReduceMean(dimensions: dimensions, keepsDimensions: keeps), [x])]
    }

    static func sum(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        guard let extents = try assembly.extents(of: x) else { return [.unknown] }
        guard let dimensions = try reduced(node, rank: extents.count, axesAreInputFrom: 13) else { return [x] }
        let keeps = try node.flag("keepdims", default: true)
        return [try assembly.add(node.plainName, ReduceSum(dimensions: dimensions, keepsDimensions: keeps), [x])]
    }

    /// The dimensions that a reduction goes over, ascending; `nil` where it changes nothing.
    private static func reduced(_ node: ONNXNode, rank: Int, axesAreInputFrom opset: Int) throws -> [Int]? {
        let given = try node.opset >= opset ? node.wholeNumbers(1, "axes") : node.ints("axes")
        let dimensions = try Set((given ?? []).map { try node.dimension($0, rank: rank) }).sorted()
        guard dimensions.isEmpty else { return dimensions }
        return try node.flag("noop_with_empty_axes", default: false) ? nil : Array(0..<rank)
    }
}
