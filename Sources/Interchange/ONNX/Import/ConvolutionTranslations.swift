import Operations
import Tensors

/// Convolutions of one and two dimensions; one dimension is taken as an image of one row.
enum ConvolutionTranslations {
    static func convolution(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let window = try Window(node, &assembly)
        let y = try window.apply(&assembly) { x, assembly, name in
            let padding = try window.padding(node)
            let geometry = ConvolutionGeometry(
                stride: window.stride, padding: padding, dilation: window.dilation, groups: window.groups)
            return try assembly.add(
                name, Conv2D(geometry, hasBias: window.bias != nil), window.inputs(x), weights: true)
        }
        return [y]
    }

    static func transposedConvolution(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let window = try Window(node, &assembly)
        var extra = try node.counts("output_padding", count: window.dimensionCount, default: 0)
        if window.dimensionCount == 1 { extra.insert(0, at: 0) }
        let padding: [Int]
        if let target = try node.ints("output_shape") {
            (padding, extra) = try window.transposedPadding(node, target: target, outputPadding: extra)
        } else if try node.text("auto_pad", default: "NOTSET").hasPrefix("SAME") {
            let target = window.extents.indices.map { window.extents[$0] * window.stride[$0] }
            (padding, extra) = try window.transposedPadding(node, target: target, outputPadding: extra)
        } else {
            padding = try window.padding(node)
        }
        let geometry = ConvolutionGeometry(
            stride: window.stride, padding: padding, dilation: window.dilation, groups: window.groups)
        let operation = ConvTranspose2D(geometry, outputPadding: extra, hasBias: window.bias != nil)
        let y = try window.apply(&assembly) { x, assembly, name in
            try assembly.add(name, operation, window.inputs(x), weights: true)
        }
        return [y]
    }
}

/// What convolutions share: the weight as [O, C, Kh, Kw], and attributes for rows and columns.
private struct Window {
    let name: String
    let x: ONNXValue
    let weight: ONNXConstant
    let bias: ONNXConstant?
    let dimensionCount: Int
    /// Rows and columns of the input.
    let extents: [Int]
    let kernel: [Int]
    let stride: [Int]
    let dilation: [Int]
    let groups: Int

    init(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws {
        x = try node.input(0)
        guard let given = try node.constant(1, "the weight") else { throw node.malformed("the weight is missing") }
        dimensionCount = given.tensor.rank - 2
        guard (1...2).contains(dimensionCount) else {
            throw node.unsupported("a convolution of \(max(0, dimensionCount)) dimensions")
        }
        extents = try ImageShape.extents(of: x, count: dimensionCount, node, assembly)
        name = node.layerName(weight: given)
        weight = dimensionCount == 2 ? given : try given.reshaped([given.tensor.shape[0], given.tensor.shape[1], 1, -1])
        bias = try node.constant(2, "the bias")
        kernel = Array(weight.tensor.shape.dims[2...])
        if let stated = try node.ints("kernel_shape"), stated != kernel.suffix(dimensionCount) {
            throw node.malformed("kernel_shape \(stated) is not that of the weight \(given.tensor.shape)")
        }
        stride = try ImageShape.pair(node, "strides", dimensionCount)
        dilation = try ImageShape.pair(node, "dilations", dimensionCount)
        groups = try node.int("group", default: 1)
    }

    func inputs(_ x: ONNXValue) -> [ONNXValue] { [x, .constant(weight)] + (bias.map { [.constant($0)] } ?? []) }

    func padding(_ node: ONNXNode) throws -> [Int] {
        try ImageShape.padding(
            node, dimensionCount, extents: extents, reach: (0..<2).map { dilation[$0] * (kernel[$0] - 1) + 1 }, stride: stride)
    }

    /// Padding and output padding that make an output of `target` rows and columns.
    func transposedPadding(_ node: ONNXNode, target: [Int], outputPadding: [Int]) throws -> (padding: [Int], output: [Int]) {
        let wanted = target.count == 1 ? [1] + target : Array(target.suffix(2))
        guard wanted.count == 2, wanted.allSatisfy({ (1..<1 << 24).contains($0) }) else {
            throw node.malformed("output_shape is \(target)")
        }
        var (before, behind, extra) = ([0, 0], [0, 0], outputPadding)
        let isUpper = try node.text("auto_pad", default: "NOTSET") == "SAME_UPPER"
        for axis in 0..<2 {
            let full = stride[axis] * (extents[axis] - 1) + extra[axis] + dilation[axis] * (kernel[axis] - 1) + 1
            let total = full - wanted[axis]
            if total < 0 { extra[axis] -= total }
            let half = max(0, total) / 2
            (before[axis], behind[axis]) = isUpper ? (half, max(0, total) - half) : (max(0, total) - half, half)
        }
        return (before + behind, extra)
    }

    /// Runs `body` on an image [N, C, H, W] and gives its result in the rank that came in.
    func apply(
        _ assembly: inout GraphAssembly, _ body: (ONNXValue, inout GraphAssembly, String) throws -> ONNXValue
    ) throws -> ONNXValue {
        try ImageShape.apply(to: x, dimensionCount, name, &assembly, body)
    }
}

/// Sequences [N, C, L] as images of one row, and attributes that convolutions and poolings share.
enum ImageShape {
    /// Rows and columns of an input with `count` dimensions behind batch and channels.
    static func extents(of x: ONNXValue, count: Int, _ node: ONNXNode, _ assembly: GraphAssembly) throws -> [Int] {
        guard let all = try assembly.extents(of: x), all.count == count + 2 else {
            throw node.malformed("the input needs \(count + 2) dimensions")
        }
        let fixed = all.dropFirst(2).compactMap(\.fixed)
        guard fixed.count == count else { throw node.unsupported("rows or columns that depend on the number of samples") }
        return count == 1 ? [1] + fixed : fixed
    }

    /// Numbers for rows and columns; 1 where not given.
    static func pair(_ node: ONNXNode, _ attribute: String, _ count: Int) throws -> [Int] {
        let given = try node.counts(attribute, count: count, default: 1)
        return count == 1 ? [1] + given : given
    }

    /// Rows above, columns left, rows below, columns right, from `pads` or worked out where `auto_pad` says so.
    static func padding(_ node: ONNXNode, _ count: Int, extents: [Int], reach: [Int], stride: [Int]) throws -> [Int] {
        let automatic = try node.text("auto_pad", default: "NOTSET")
        switch automatic {
        case "VALID": return [0, 0, 0, 0]
        case "NOTSET", "":
            let given = try node.counts("pads", count: 2 * count, default: 0)
            return count == 1 ? [0, given[0], 0, given[1]] : given
        case "SAME_UPPER", "SAME_LOWER":
            guard stride.allSatisfy({ $0 >= 1 }) else { throw node.malformed("strides are \(stride)") }
            let totals = (0..<2).map { axis in
                let cells = (extents[axis] + stride[axis] - 1) / stride[axis]
                return max(0, (cells - 1) * stride[axis] + reach[axis] - extents[axis])
            }
            let small = totals.map { $0 / 2 }
            let large = zip(totals, small).map { $0 - $1 }
            return automatic == "SAME_UPPER" ? small + large : large + small
        default: throw node.malformed("auto_pad is '\(automatic)'")
        }
    }

    static func apply(
        to x: ONNXValue, _ dimensionCount: Int, _ name: String, _ assembly: inout GraphAssembly,
        _ body: (ONNXValue, inout GraphAssembly, String) throws -> ONNXValue
    ) throws -> ONNXValue {
        guard dimensionCount == 1, let extents = try assembly.extents(of: x) else { return try body(x, &assembly, name) }
        let image = try assembly.reshape(x, to: [extents[0], extents[1], Extent(1), extents[2]], name + ".row")
        let y = try body(image, &assembly, name)
        guard let made = try assembly.extents(of: y) else { return y }
        return try assembly.reshape(y, to: [made[0], made[1], made[3]], name + ".sequence")
    }
}

extension ONNXConstant {
    func reshaped(_ shape: Shape) throws -> ONNXConstant {
        changed(try tensor.reshaped(shape), "")
    }
}
