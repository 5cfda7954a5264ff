import Operations
import Tensors

/// Files made for a fixed number of samples name it as a plain number in the shapes that they spell out; here N is put
/// back in its place, so that the batch is open.
///
/// Where that is follows from the order of the elements: as many blocks lie in front of a sample in the new shape as in
/// the old one. A shape such as [17, N, 32], which attention makes, so becomes [17, N, 4, 8] and never [17·N, 4, 8].
extension GraphAssembly {
    /// A target of plain numbers for x, whose extents are `own`, with N put in for the file's number of samples.
    func openingBatch(_ target: [Extent], for x: ONNXValue, _ own: [Extent], _ node: ONNXNode) throws -> [Extent] {
        guard let all = Extent.count(own), all.perSample != 0, let made = Extent.count(target), made != all else { return target }
        let numbers = target.compactMap(\.fixed)
        guard let batch = fixedBatch, all.constant == 0, made.fixed == all.perSample * batch, numbers.count == target.count,
            numbers.allSatisfy({ $0 >= 1 }), let front = Self.frontCount(own),
            let place = Self.batchPlace(numbers, front * joinedCount(of: x), batch, own)
        else { throw node.malformed("\(own) cannot become \(target)") }
        var opened = target
        opened[place] = Extent(0, perSample: numbers[place] / batch)
        return opened
    }

    /// An extent that stands for the samples: N, or the number of them that the file was made for.
    func isBatch(_ extent: Extent) -> Bool {
        extent == .batch || fixedBatch != nil && extent.fixed == fixedBatch
    }

    /// The first sample of a constant that has the same for each of the file's samples; `nil` where it has others.
    func sample(of constant: ONNXConstant) throws -> ONNXConstant? {
        guard let count = constant.tensor.shape.dims.first, count == 1 || count == fixedBatch else { return nil }
        if count == 1 { return constant }
        guard constant.tensor.elementCount <= Self.foldLimit else { return nil }
        let numbers = try constant.tensor.converted(to: .float32).array(of: Float.self)
        let width = numbers.count / count
        guard numbers.indices.dropFirst(width).allSatisfy({ numbers[$0] == numbers[$0 - width] }) else { return nil }
        return constant.changed(try constant.tensor.sliced(dim: 0, from: 0, to: 1).contiguous(), "[0]")
    }

    /// The dimension of `target` that holds the samples. Those that can are neighbours, in which an extent joins the
    /// batch from the left or the right; one that is the batch alone comes first.
    private static func batchPlace(_ target: [Int], _ leading: Int, _ batch: Int, _ own: [Extent]) -> Int? {
        var candidates: [(place: Int, joined: Int, inner: Int)] = []
        var front = 1
        for (place, extent) in target.enumerated() {
            if leading % front == 0, extent % batch == 0, extent / batch % (leading / front) == 0 {
                candidates.append((place, leading / front, extent / batch / (leading / front)))
            }
            front *= extent
        }
        let alone = candidates.filter { $0.joined == 1 && $0.inner == 1 }
        if let kept = alone.first(where: { $0.place < own.count && own[$0.place].perSample != 0 }) ?? alone.first { return kept.place }
        // Fewer dimensions come of joining what is in front; as many or more of dividing what is behind, as into heads.
        let joined = target.count < own.count ? candidates.first { $0.inner == 1 } : nil
        return (joined ?? candidates.first { $0.joined == 1 } ?? candidates.first)?.place
    }
}
