package import Tensors

/// Whether images can say anything about a model: batch by batch, as they pass.
package struct ImageCheck {
    private var count = 0
    /// How many values each channel has had.
    private var valueCount = 0
    /// The first image, with which all others are compared until one channel differs.
    private var first: [Float] = []
    private var varies = false

    package init() {}

    /// - Parameter batch: [N, …], channels before positions.
    /// - Throws: `notFiniteImages` for the first image with an infinity or a value that is no number.
    package mutating func add(_ batch: Tensor) throws {
        let size = batch.elementCount / max(1, batch.shape.dims.first ?? 1)
        if try !batch.isFinite() {
            let bad = try batch.withElements(of: Float.self) { $0.firstIndex { !$0.isFinite } ?? 0 }
            throw CompressionFailure.notFiniteImages(image: count + bad / max(1, size))
        }
        let positions = max(1, size / max(1, batch.shape.dims.dropFirst().first ?? 1))
        count += batch.shape.dims.first ?? 0
        valueCount += (batch.shape.dims.first ?? 0) * positions
        guard !varies, batch.elementCount > 0 else { return }
        if first.isEmpty { first = try batch.sliced(dim: 0, from: 0, to: 1).contiguous().array(of: Float.self) }
        varies = try batch.withElements(of: Float.self) { elements in
            elements.indices.contains { elements[$0] != first[$0 % size / positions * positions] }
        }
    }

    /// - Throws: `noImages`; `noContent` where no channel varies over positions and images, as in black ones.
    package func finish(part: String = "calibration") throws {
        guard count > 0 else { throw CompressionFailure.noImages(part: part) }
        // A single value has nothing that it could differ from.
        guard varies || valueCount == 1 else { throw CompressionFailure.noContent }
    }

    /// For images that are at hand all at once.
    static func check(_ images: [Tensor]) throws {
        var check = ImageCheck()
        for batch in images { try check.add(batch) }
        try check.finish()
    }
}

extension Tensor {
    /// Whether no element is infinite or no number: then a sum of them in double is finite.
    func isFinite() throws -> Bool { try total().isFinite }
}
