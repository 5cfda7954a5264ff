import Graphs
import Operations
import Tensors

/// Matrix products: those with a weight become linear layers, which can be decomposed.
enum ProductTranslations {
    static func gemm(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let (alpha, beta) = (try node.float("alpha", default: 1), try node.float("beta", default: 1))
        let transposesB = try node.flag("transB", default: false)
        var a = try node.input(0)
        if try node.flag("transA", default: false) {
            a = try assembly.add(node.plainName + ".turned", Transpose(order: [1, 0]), [a])
        }
        let b = try node.input(1)
        let bias = node.hasInput(2) ? try assembly.scaled(try node.input(2), by: beta, node.plainName + ".bias") : nil
        guard try assembly.extents(of: a)?.count == 2, try assembly.extents(of: b)?.count == 2 else {
            throw node.malformed("needs two matrices")
        }
        if case .constant(let weight) = b, case .value = a {
            let oriented = try transposesB ? weight : weight.transposed()
            let scaled = try oriented.scaled(by: alpha)
            return [try linear(node, a, scaled, named: weight, bias, &assembly)]
        }
        let right = transposesB ? try assembly.add(node.plainName + ".weight", Transpose(order: [1, 0]), [b]) : b
        let product = try assembly.add(node.plainName, MatrixMultiply(), [a, right])
        let scaled = try assembly.scaled(product, by: alpha, node.plainName + ".scaled")
        guard let bias else { return [scaled] }
        return [try assembly.add(node.plainName + ".sum", Add(), [scaled, bias])]
    }

    /// A linear layer with `weight` [O, I]; a bias that is no vector [O] is added behind it.
    private static func linear(
        _ node: ONNXNode, _ x: ONNXValue, _ weight: ONNXConstant, named original: ONNXConstant, _ bias: ONNXValue?,
        _ assembly: inout GraphAssembly
    ) throws -> ONNXValue {
        let name = node.layerName(weight: original)
        let features = weight.tensor.shape[0]
        if case .constant(let constant)? = bias, constant.tensor.elementCount == features,
            constant.tensor.shape.dims.last ?? 1 == features
        {
            let vector = try constant.reshaped([features])
            return try assembly.add(
                name, Linear(hasBias: true), [x, .constant(weight), .constant(vector)], weights: true)
        }
        let y = try assembly.add(name, Linear(hasBias: false), [x, .constant(weight)], weights: true)
        guard let bias else { return y }
        return try assembly.add(name + ".sum", Add(), [y, bias])
    }

    static func matrixProduct(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        var (a, b) = (try node.input(0), try node.input(1))
        guard let left = try assembly.extents(of: a), let right = try assembly.extents(of: b), !left.isEmpty, !right.isEmpty
        else { throw node.malformed("a factor is a scalar") }
        if case .constant(let weight) = b, case .value = a, right.count == 2, left.count >= 2 {
            return [try linear(node, a, weight.transposed(), named: weight, nil, &assembly)]
        }
        let name = node.plainName
        if left.count == 1 { a = try assembly.reshape(a, to: [Extent(1)] + left, name + ".row") }
        if right.count == 1 { b = try assembly.reshape(b, to: right + [Extent(1)], name + ".column") }
        let y = try assembly.add(name, MatrixMultiply(), [a, b])
        guard left.count == 1 || right.count == 1, var extents = try assembly.extents(of: y) else { return [y] }
        if right.count == 1 { extents.removeLast() }
        if left.count == 1 { extents.remove(at: extents.count - (right.count == 1 ? 1 : 2)) }
        return [try assembly.reshape(y, to: extents, name + ".vector")]
    }
}

extension ONNXConstant {
    /// A matrix with rows and columns exchanged, row-major.
    func transposed() throws -> ONNXConstant {
        changed(try tensor.transposed().contiguous(), "ᵀ")
    }

    func scaled(by factor: Double) throws -> ONNXConstant {
        factor == 1 ? self : changed(try tensor.multiplying(factor), "·\(factor)")
    }
}

extension GraphAssembly {
    /// factor · x; a constant is multiplied at once.
    mutating func scaled(_ x: ONNXValue, by factor: Double, _ name: String) throws -> ONNXValue {
        if factor == 1 { return x }
        if case .constant(let constant) = x {
            return .constant(try constant.changed(constant.tensor.converted(to: .float32), "").scaled(by: factor))
        }
        return try add(name, Scale(factor: factor), [x])
    }
}
