import Graphs
import LuaRuntime
import Operations
import Tensors

/// Layers that give images another size without weights: rows first, then columns, each a node of its own.
extension LayerFunctions {
    static func addResizing(to table: LuaTable, in state: LuaState) throws {
        try define("upsample", in: state, table) { options in
            let factors = try options.extents("factor", least: 1) ?? [2, 2]
            let mode = try options.choice("mode", among: ["nearest", "bilinear"])
            return LayerObject("upsample", name: try options.optionalString("name")) { builder, name, inputs in
                let shape = builder.shape(of: inputs[0]) ?? []
                return try rowsAndColumns(&builder, name, inputs[0]) { axis in
                    // An image's extent; anything else fails in the operation, which says what it needs.
                    let size = (shape.rank == 4 ? shape[2 + axis] : 1) * factors[axis]
                    return mode == "nearest"
                        ? Resize(
                            dimension: 2 + axis, size: size, scale: Double(factors[axis]), interpolation: .nearest,
                            coordinates: .asymmetric, rounding: .floor)
                        : Resize(
                            dimension: 2 + axis, size: size, scale: Double(factors[axis]), interpolation: .linear,
                            coordinates: .halfPixel)
                }
            }
        }
        try define("pad", in: state, table) { options in
            let padding = try options.padding("padding")
            return LayerObject("pad", name: try options.optionalString("name")) { builder, name, inputs in
                try rowsAndColumns(&builder, name, inputs[0]) { axis in
                    Pad(dimension: 2 + axis, before: padding[axis], after: padding[2 + axis])
                }
            }
        }
    }

    private static func rowsAndColumns(
        _ builder: inout GraphBuilder, _ name: String, _ input: String, _ operation: (_ axis: Int) -> any GraphOperation
    ) throws -> String {
        let rows = try builder.apply(name + ".rows", operation(0), input)
        return try builder.apply(name, operation(1), rows)
    }
}
