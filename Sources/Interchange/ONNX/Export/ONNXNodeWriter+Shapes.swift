import Graphs
import ONNXMessages
import Operations
import Tensors

/// How the operations on shapes are written.
extension ONNXNodeWriter {
    static func writeShape(_ node: Node, _ writer: inout ONNXWriter) throws -> Bool {
        let x = try writer.input(node.inputs[0])
        let shape = writer.shape(of: node.inputs[0])
        switch node.operation {
        case let reshape as Reshape: writer.finish(node, "Reshape", [x, try writer.constant(reshape.target)])
        case let transpose as Transpose: writer.finish(node, "Transpose", [x], [.ints("perm", transpose.order)])
        case let concatenate as Concatenate:
            writer.finish(
                node, "Concat", try node.inputs.map { try writer.input($0) }, [.int("axis", concatenate.dimension)])
        case let slice as Slice:
            writer.finish(
                node, "Slice", [x] + (try slicing(starts: [slice.start], ends: [slice.end], axes: [slice.dimension], steps: [slice.step], &writer)))
        case let pad as Pad: writer.finish(node, "Pad", [x, try pads(pad.dimension, pad.before, pad.after, shape.rank, &writer)])
        case let shortcut as SubsamplePad:
            let steps = [shortcut.stride, shortcut.stride]
            let inputs = [x] + (try slicing(starts: [0, 0], ends: [-1, -1], axes: [2, 3], steps: steps, &writer))
            let part = try writer.add("Slice", inputs, to: node.name + ".part")
            writer.finish(node, "Pad", [part, try pads(1, shortcut.before, shortcut.after, 4, &writer)])
        case let expand as Expand: try write(expand, node, x, &writer)
        case let gather as Gather:
            writer.finish(node, "Gather", [x, try writer.places(node.inputs[1], of: node)], [.int("axis", gather.dimension)])
        case let resize as Resize: try write(resize, node, x, shape, &writer)
        case let sum as ReduceSum:
            let attributes: [Onnx_AttributeProto] = [.int("keepdims", sum.keepsDimensions ? 1 : 0), .int("noop_with_empty_axes", 1)]
            writer.finish(node, "ReduceSum", [x, try writer.constant(sum.dimensions)], attributes)
        default: return false
        }
        return true
    }

    /// Ends count from the back by one more here than in ONNX.
    private static func slicing(
        starts: [Int], ends: [Int], axes: [Int], steps: [Int], _ writer: inout ONNXWriter
    ) throws -> [String] {
        let ends = ends.map { $0 == -1 ? Int.max : ($0 < 0 ? $0 + 1 : $0) }
        return [
            try writer.constant(starts), try writer.constant(ends), try writer.constant(axes), try writer.constant(steps),
        ]
    }

    private static func pads(
        _ dimension: Int, _ before: Int, _ after: Int, _ rank: Int, _ writer: inout ONNXWriter
    ) throws -> String {
        var pads = [Int](repeating: 0, count: 2 * rank)
        (pads[dimension], pads[rank + dimension]) = (before, after)
        return try writer.constant(pads)
    }

    /// An extent 1 keeps what is there, so copied extents need no arithmetic; only a lent batch does.
    private static func write(_ expand: Expand, _ node: Node, _ x: String, _ writer: inout ONNXWriter) throws {
        let kept = expand.target.map { $0 == 0 ? 1 : $0 }
        guard node.inputs.count == 2 else {
            return writer.finish(node, "Expand", [x, try writer.constant(kept)])
        }
        let reference = try writer.input(node.inputs[1])
        let all = try writer.add("Shape", [reference], to: node.name + ".shape")
        let batch = try writer.add(
            "Slice", [all] + slicing(starts: [0], ends: [1], axes: [0], steps: [1], &writer), to: node.name + ".batch")
        let rest = try writer.constant(Array(kept.dropFirst()))
        let target = kept.count == 1 ? batch : try writer.add("Concat", [batch, rest], to: node.name + ".target", [.int("axis", 0)])
        writer.finish(node, "Expand", [x, target])
    }

    /// By the scale, where all readers make the same size of it: they multiply in float32 or in double and round down.
    /// Else by sizes, with those of the other dimensions taken from the input, so that the batch stays open.
    private static func write(
        _ resize: Resize, _ node: Node, _ x: String, _ shape: Shape, _ writer: inout ONNXWriter
    ) throws {
        let extent = shape[resize.dimension]
        let scale = Float(resize.scale)
        let isClear = Int(Float(extent) * scale) == resize.size && Int(Double(extent) * Double(scale)) == resize.size
        var inputs = [x, ""]
        if isClear {
            var scales = [Float](repeating: 1, count: shape.rank)
            scales[resize.dimension] = scale
            inputs.append(try writer.constant(scales, shape: [shape.rank], node.name + ".scales"))
        } else {
            // The ratio of sizes becomes the scale.
            guard abs(Double(resize.size) / Double(extent) / resize.scale - 1) < 1e-6 else {
                throw InterchangeFailure.notExportable(
                    operation: node.operation.name, detail: "the scale \(resize.scale) does not make \(resize.size) of \(extent)")
            }
            let before = try writer.add(
                "Shape", [x], to: node.name + ".before", [.int("start", 0), .int("end", resize.dimension)])
            let behind = try writer.add("Shape", [x], to: node.name + ".behind", [.int("start", resize.dimension + 1)])
            let sizes = [before, try writer.constant([resize.size]), behind]
            inputs += ["", try writer.add("Concat", sizes, to: node.name + ".sizes", [.int("axis", 0)])]
        }
        writer.finish(
            node, "Resize", inputs,
            [
                .string("mode", resize.interpolation.rawValue),
                .string("coordinate_transformation_mode", resize.coordinates.rawValue),
                .string("nearest_mode", resize.rounding.rawValue),
            ])
    }
}
