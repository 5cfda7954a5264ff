import Tensors

/// A classifier of class means: it collects embeddings by class, and then says which class others are nearest to.
struct ImprintedClassifier {
    private let head: ProxyHead
    private let classCount: Int
    private let dimension: Int
    /// Σ of embeddings per class, [B, D] in double precision.
    private var sums: [Double]
    private var counts: [Int]
    private var weights: Tensor?
    private var offsets: [Float] = []
    /// Of the holdout part, by true class.
    private(set) var correctCounts: [Int]

    init(head: ProxyHead, classCount: Int, dimension: Int) {
        self.head = head
        self.classCount = classCount
        self.dimension = dimension
        sums = [Double](repeating: 0, count: classCount * dimension)
        counts = [Int](repeating: 0, count: classCount)
        correctCounts = counts
    }

    /// Adds embeddings [N, D] with their labels to the class means.
    mutating func imprint(_ embeddings: Tensor, _ labels: [Int]) throws {
        try embeddings.withElements(of: Float.self) { e in
            for (n, label) in labels.enumerated() {
                var scale = 1.0
                if head == .imprint {
                    let row = UnsafeBufferPointer(rebasing: e[n * dimension..<(n + 1) * dimension])
                    scale = 1 / max(Vectors.dot(row, row).squareRoot(), 1e-12)
                }
                counts[label] += 1
                for d in 0..<dimension { sums[label * dimension + d] += scale * Double(e[n * dimension + d]) }
            }
        }
    }

    /// Turns the sums into weights: logits are ⟨w_c, e⟩ + offset_c.
    /// - Throws: `notFinite` for embeddings that were not.
    /// - Complexity: O(classes · D).
    mutating func seal() throws {
        guard sums.allSatisfy(\.isFinite) else { throw CompressionFailure.notFinite(what: "the layer's activation") }
        var means = sums
        for c in 0..<classCount {
            for d in 0..<dimension { means[c * dimension + d] /= Double(max(1, counts[c])) }
        }
        let center = head == .centred ? centre(&means) : []
        offsets = [Float](repeating: 0, count: classCount)
        for c in 0..<classCount {
            let row = c * dimension..<(c + 1) * dimension
            let squared = row.reduce(0.0) { $0 + means[$1] * means[$1] }
            switch head {
            case .nearestMean: offsets[c] = Float(-squared / 2)
            case .imprint, .centred:
                let scale = 1 / max(squared.squareRoot(), 1e-12)
                for i in row { means[i] *= scale }
            }
            // ⟨w_c, e − m⟩ = ⟨w_c, e⟩ − ⟨w_c, m⟩.
            if head == .centred { offsets[c] = Float(-zip(means[row], center).reduce(0) { $0 + $1.0 * $1.1 }) }
        }
        weights = try Tensor(means.map(Float.init), shape: [classCount, dimension])
    }

    /// Takes the mean of the class means off each of them, and gives it.
    private func centre(_ means: inout [Double]) -> [Double] {
        var center = [Double](repeating: 0, count: dimension)
        for c in 0..<classCount { for d in 0..<dimension { center[d] += means[c * dimension + d] } }
        for d in 0..<dimension { center[d] /= Double(classCount) }
        for c in 0..<classCount { for d in 0..<dimension { means[c * dimension + d] -= center[d] } }
        return center
    }

    /// ⟨w_c, e⟩ + offset_c [N, classes] of embeddings [N, D]; with the head `imprint` and embeddings of norm 1 these are cosines.
    func logits(_ embeddings: Tensor) throws -> Tensor {
        guard let weights else { return try .zeros([embeddings.shape[0], classCount]) }
        return try embeddings.matrixProduct(weights.transposed()).adding(Tensor(offsets))
    }

    /// Counts how many of the embeddings [N, D] get their true label.
    /// - Throws: `notFinite` for embeddings that are not.
    mutating func classify(_ embeddings: Tensor, _ labels: [Int]) throws {
        guard try embeddings.isFinite() else { throw CompressionFailure.notFinite(what: "the layer's activation") }
        let chosen = try logits(embeddings).argmax().array(of: Int64.self)
        for (label, choice) in zip(labels, chosen) where label == Int(choice) { correctCounts[label] += 1 }
    }
}
