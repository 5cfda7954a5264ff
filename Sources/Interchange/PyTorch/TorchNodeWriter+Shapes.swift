import Graphs
import Operations
import Tensors

/// How the operations on shapes, and pooling, are written.
extension TorchNodeWriter {
    static func arrangement(
        _ operation: any GraphOperation, _ x: [String], _ shape: Shape, _ writer: inout TorchWriter
    ) -> String? {
        switch operation {
        case is Flatten: return shape.rank > 1 ? "torch.flatten(\(x[0]), 1)" : "\(x[0]).unsqueeze(1)"
        case let reshape as Reshape: return reshaped(reshape, x[0], shape)
        case let transpose as Transpose: return "\(x[0]).permute(\(Python.tuple(transpose.order)))"
        case let concatenate as Concatenate:
            return "torch.cat([\(x.joined(separator: ", "))], \(concatenate.dimension))"
        case let slice as Slice:
            // Ends count from the back by one more here than in Python.
            let end = slice.end == -1 ? "" : "\(slice.end < 0 ? slice.end + 1 : slice.end)"
            return x[0] + Python.index(slice.dimension, "\(slice.start):\(end):\(slice.step)")
        case let pad as Pad:
            let behind = [Int](repeating: 0, count: 2 * (shape.rank - 1 - pad.dimension))
            return "F.pad(\(x[0]), \(Python.tuple(behind + [pad.before, pad.after])))"
        case let shortcut as SubsamplePad:
            return "F.pad(\(x[0])[:, :, ::\(shortcut.stride), ::\(shortcut.stride)], "
                + "\(Python.tuple([0, 0, 0, 0, shortcut.before, shortcut.after])))"
        case let expand as Expand: return expanded(expand, x)
        // Places are whole numbers, but float32 in our files where they came so.
        case let gather as Gather: return x[0] + Python.index(gather.dimension, "\(x[1]).long()")
        case let mean as ReduceMean:
            // A mean over no dimension is one over all of them in PyTorch.
            if mean.dimensions.isEmpty { return x[0] }
            return "torch.mean(\(x[0]), \(Python.tuple(mean.dimensions)), keepdim=\(mean.keepsDimensions ? "True" : "False"))"
        case let sum as ReduceSum:
            if sum.dimensions.isEmpty { return x[0] }
            return "torch.sum(\(x[0]), \(Python.tuple(sum.dimensions)), keepdim=\(sum.keepsDimensions ? "True" : "False"))"
        case is GlobalAveragePool2D: return "F.adaptive_avg_pool2d(\(x[0]), 1)"
        case let pool as AdaptiveAveragePool2D:
            return "F.adaptive_avg_pool2d(\(x[0]), \(Python.pair([pool.rows, pool.columns])))"
        case let pool as Pool2D: return pooled(pool.geometry, x[0])
        case let resize as Resize:
            writer.define(resizing)
            return "resized(\(x[0]), \(resize.dimension), \(resize.size), \(Python.number(resize.scale)), "
                + "\"\(resize.interpolation.rawValue)\", \"\(resize.coordinates.rawValue)\", \"\(resize.rounding.rawValue)\")"
        default: return nil
        }
    }

    /// Batch norm behind a linear layer sees its features as channels of one pixel. Written without the number of channels, that fits
    /// as well once a pruner has taken some of them.
    private static func reshaped(_ reshape: Reshape, _ x: String, _ shape: Shape) -> String {
        let target = reshape.target
        if target.count == 4, shape.rank == 2, target[0] == 0, [0, shape[1]].contains(target[1]), target.suffix(2) == [1, 1] {
            return x + "[:, :, None, None]"
        }
        if target.count == 2, shape.rank == 4, target[0] == 0, [-1, 0, shape[1]].contains(target[1]), shape.dims.suffix(2) == [1, 1] {
            return "torch.flatten(\(x), 1)"
        }
        let dims = target.enumerated().map { $1 == 0 && $0 < shape.rank ? "\(x).shape[\($0)]" : "\($1)" }
        return "\(x).reshape([\(dims.joined(separator: ", "))])"
    }

    /// −1 keeps an extent.
    private static func expanded(_ expand: Expand, _ x: [String]) -> String {
        var dims = expand.target.map { $0 == 0 ? "-1" : "\($0)" }
        if expand.borrowsBatch, !dims.isEmpty { dims[0] = "\(x[1]).shape[0]" }
        return "\(x[0]).expand([\(dims.joined(separator: ", "))])"
    }

    /// PyTorch pads both sides alike and by half a window at most; other padding is a step of its own.
    private static func pooled(_ geometry: PoolingGeometry, _ x: String) -> String {
        let padding = geometry.padding
        let fits =
            padding[0] == padding[2] && padding[1] == padding[3]
            && (0..<2).allSatisfy { 2 * padding[$0] <= geometry.window[$0] }
        let window = "\(Python.pair(geometry.window)), \(Python.pair(geometry.stride))"
        let inside = fits && padding != [0, 0, 0, 0] ? ", \(Python.pair(Array(padding.prefix(2))))" : ""
        func outside(_ value: String, filling: String? = nil) -> String {
            fits ? value : Python.padded(value, padding, value: filling)
        }
        switch geometry.kind {
        case .max: return "F.max_pool2d(\(outside(x, filling: "-torch.inf")), \(window)\(inside))"
        case .averageWithPadding: return "F.avg_pool2d(\(outside(x)), \(window)\(inside))"
        case .average where fits:
            return "F.avg_pool2d(\(x), \(window)\(inside)\(inside.isEmpty ? "" : ", count_include_pad=False"))"
        // The share of each window that is no padding makes up for the zeros.
        case .average:
            return "F.avg_pool2d(\(outside(x)), \(window)) / F.avg_pool2d(\(outside("torch.ones_like(\(x))")), \(window))"
        }
    }

    /// One dimension at a time, with the ways of counting places that ONNX knows and F.interpolate does not.
    private static let resizing = """
        def resized(x, dim, size, scale, mode, coordinates, rounding):
            \"\"\"Resamples one dimension, by the coordinates and roundings of ONNX's Resize.\"\"\"
            extent = x.shape[dim]
            place = torch.arange(size, dtype=torch.float64, device=x.device)
            if coordinates == "align_corners":
                place = place * ((extent - 1) / (size - 1) if size > 1 else 0.0)
            elif coordinates == "asymmetric":
                place = place / scale
            elif coordinates == "pytorch_half_pixel" and size == 1:
                place = place * 0.0
            else:
                place = (place + 0.5) / scale - 0.5
            if mode == "nearest":
                rounded = {
                    "round_prefer_floor": torch.ceil(place - 0.5), "round_prefer_ceil": torch.floor(place + 0.5),
                    "floor": torch.floor(place), "ceil": torch.ceil(place),
                }[rounding]
                return x.index_select(dim, rounded.clamp(0, extent - 1).long())
            place = place.clamp(0, extent - 1)
            before = place.floor().long()
            share = (place - before).to(x.dtype).reshape([-1] + [1] * (x.dim() - 1 - dim))
            behind = x.index_select(dim, (before + 1).clamp(max=extent - 1))
            return x.index_select(dim, before) * (1 - share) + behind * share
        """
}
