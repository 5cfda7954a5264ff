public import Datasets
public import Graphs

extension LWIQScorer {
    /// Scores every weighted layer but the classifier on the images of a data set.
    /// - Parameters:
    ///   - dataset: labelled; two disjoint parts of it make the class means and are classified. It should not be the one that the
    ///     compressed model is tested on.
    ///   - holdoutShare: the share in (0, 1) of the images that is classified.
    ///   - seed: of the parts.
    ///   - loading: how batches are made.
    /// - Throws: `DatasetFailure` where the data set cannot be parted so; as the other `score`.
    /// - Complexity: one inference pass over the images; memory does not grow with their number.
    public func score(
        _ graph: Graph, on dataset: ImageDataset, holdoutShare: Double = 0.5, seed: UInt64 = 0,
        loading: BatchLoader.Options = BatchLoader.Options()
    ) throws -> LayerScores {
        let (imprint, holdout) = try dataset.split(fraction: 1 - holdoutShare, seed: seed)
        return try score(graph, imprint: imprint, holdout: holdout, loading: loading)
    }

    /// The same on exactly these images.
    /// - Parameters:
    ///   - imprint: what the class means are made of.
    ///   - holdout: what they classify; should share no image with `imprint`, and has the same classes.
    public func score(
        _ graph: Graph, imprint: ImageDataset, holdout: ImageDataset, loading: BatchLoader.Options = BatchLoader.Options()
    ) throws -> LayerScores {
        try score(
            graph, imprint: Self.source(BatchLoader(imprint, loading)), holdout: Self.source(BatchLoader(holdout, loading)),
            classCount: max(imprint.classCount, holdout.classCount), imageCount: imprint.count + holdout.count)
    }

    private static func source(_ loader: BatchLoader) throws -> BatchSource {
        let batches = try loader.epoch()
        return { try batches.next().map { ($0.images, try $0.classes()) } }
    }
}
