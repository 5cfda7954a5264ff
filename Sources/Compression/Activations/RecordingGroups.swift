import Graphs
import Tensors

/// Layers next to each other whose values are recorded in one pass over the images.
enum RecordingGroups {
    private static let byteLimit = 512 << 20

    /// Ranges of `parts`, the values of each of which stay below 512 MiB; a larger part is alone.
    static func ranges(_ parts: [[String]], _ shapes: [String: Shape]) -> [Range<Int>] {
        var (ranges, bytes, start) = ([Range<Int>](), 0, 0)
        for (index, values) in parts.enumerated() {
            let own = values.reduce(0) { $0 + (shapes[$1]?.elementCount ?? 0) * DType.float32.byteCount }
            if index > start, bytes + own > byteLimit {
                ranges.append(start..<index)
                (bytes, start) = (0, index)
            }
            bytes += own
        }
        if start < parts.count { ranges.append(start..<parts.count) }
        return ranges
    }
}
