import Operations
import Tensors

/// Resize by its sizes or scales, dimension by dimension.
enum ResizeTranslations {
    static func resize(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let isOld = node.opset < 11
        let coordinates: Resize.Coordinates
        let rounding: Resize.Rounding?
        if isOld {
            (coordinates, rounding) = (.asymmetric, nil)
        } else {
            let name = try node.text("coordinate_transformation_mode", default: "half_pixel")
            guard let known = Resize.Coordinates(rawValue: name) else { throw node.unsupported("coordinates '\(name)'") }
            let mode = try node.text("nearest_mode", default: "round_prefer_floor")
            guard let knownMode = Resize.Rounding(rawValue: mode) else { throw node.unsupported("nearest_mode '\(mode)'") }
            (coordinates, rounding) = (known, knownMode)
        }
        guard try !node.flag("antialias", default: false) else { throw node.unsupported("antialiasing") }
        guard try node.text("keep_aspect_ratio_policy", default: "stretch") == "stretch" else {
            throw node.unsupported("keeping the aspect ratio")
        }
        let scales = try node.numbers(isOld ? 1 : 2, "the scales") ?? []
        let sizes = try isOld ? nil : node.extents(3, "the sizes")
        return try resize(node, &assembly, scales, sizes, coordinates, rounding)
    }

    static func upsample(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let scales = try node.opset < 9 ? node.floats("scales") : node.numbers(1, "the scales")
        return try resize(node, &assembly, scales ?? [], nil, .asymmetric, .floor)
    }

    /// - Parameter rounding: `nil` for that of opset 10: down where there are more elements than before, else up.
    private static func resize(
        _ node: ONNXNode, _ assembly: inout GraphAssembly, _ scales: [Float], _ sizes: [Extent]?,
        _ coordinates: Resize.Coordinates, _ rounding: Resize.Rounding?
    ) throws -> [ONNXValue] {
        let kind = try node.text("mode", default: "nearest")
        guard let mode = Resize.Interpolation(rawValue: kind) else { throw node.unsupported("mode '\(kind)'") }
        var x = try node.input(0)
        guard let extents = try assembly.extents(of: x) else { return [.unknown] }
        let axes = try node.ints("axes") ?? Array(extents.indices)
        guard (sizes?.isEmpty == false ? sizes?.count : scales.count) == axes.count else {
            throw node.malformed("sizes or scales do not fit the input \(extents)")
        }
        for (i, number) in axes.enumerated() {
            let axis = try node.dimension(number, rank: extents.count)
            var (scale, size) = (1.0, 0)
            if let sizes, !sizes.isEmpty {
                if sizes[i] == extents[axis] || extents[axis] == .batch && assembly.isBatch(sizes[i]) { continue }
                guard let new = sizes[i].fixed, let old = extents[axis].fixed, old > 0 else {
                    throw node.unsupported("resizing the samples")
                }
                (size, scale) = (new, Double(new) / Double(old))
            } else {
                if scales[i] == 1 { continue }
                guard let old = extents[axis].fixed, scales[i] > 0, scales[i] < 1_048_576 else {
                    throw node.unsupported("the scale \(scales[i]) of dimension \(axis)")
                }
                // In float32, as everybody does: 15 / 7, written as a float, makes 15 of 7 and not 14.
                guard let new = Int(exactly: (Float(old) * scales[i]).rounded(.down)) else {
                    throw node.malformed("the scale \(scales[i]) makes an absurdly large extent of \(old)")
                }
                (size, scale) = (new, Double(scales[i]))
            }
            let operation = Resize(
                dimension: axis, size: size, scale: scale, interpolation: mode, coordinates: coordinates,
                rounding: rounding ?? (scale < 1 ? .ceil : .floor))
            x = try assembly.add(node.plainName, operation, [x])
        }
        return [x]
    }
}
