import Basics
import Tensors

extension ImageDataset {
    /// The first `count` images, sharing memory with this data set; all of them when there are fewer.
    /// - Throws: `DatasetFailure.invalidOption` for a negative count.
    public func prefix(_ count: Int) throws -> ImageDataset {
        guard count >= 0 else {
            throw DatasetFailure.invalidOption(option: "count", detail: "\(count) images cannot be taken")
        }
        let end = min(count, self.count)
        return part(images: try images.sliced(dim: 0, from: 0, to: end), labels: Array(labels[..<end]))
    }

    /// A copy of the images at `indices`, in that order; an index may occur more than once.
    /// - Throws: `DatasetFailure.indexOutOfRange` for the first index that is none.
    public func subset(_ indices: [Int]) throws -> ImageDataset {
        if let bad = indices.first(where: { !labels.indices.contains($0) }) {
            throw DatasetFailure.indexOutOfRange(operation: "subset of \(name)", index: bad, count: count)
        }
        return part(images: try images.gathered(rows: indices), labels: indices.map { labels[$0] })
    }

    /// Two parts by chance, the first of `fraction` (0…1, both excluded) of the images. See `split(count:seed:)`.
    public func split(fraction: Double, seed: UInt64) throws -> (first: ImageDataset, second: ImageDataset) {
        guard fraction > 0, fraction < 1 else {
            throw DatasetFailure.invalidOption(
                option: "fraction", detail: "\(fraction) does not lie between 0 and 1")
        }
        return try split(count: Int((fraction * Double(count)).rounded()), seed: seed)
    }

    /// Two parts by chance, the first of exactly `count` images. Classes keep their proportions as nearly as whole
    /// images allow, and each class that has images has at least one in both parts; the order of images is kept.
    /// - Throws: `DatasetFailure.invalidSplit` when a class has a single image, or a part is too small for all classes.
    /// - Complexity: O(N log N).
    public func split(count: Int, seed: UInt64) throws -> (first: ImageDataset, second: ImageDataset) {
        var members = [[Int]](repeating: [], count: classCount)
        for (index, label) in labels.enumerated() { members[label].append(index) }
        let shares = try shares(of: count, classSizes: members.map(\.count))
        let source = RandomSource(seed: seed)
        var isFirst = [Bool](repeating: false, count: self.count)
        for (label, share) in shares.enumerated() {
            var random = source.stream(UInt64(label))
            for position in SampleOrder.shuffled(members[label].count, using: &random).prefix(share) {
                isFirst[members[label][position]] = true
            }
        }
        return (
            try subset(labels.indices.filter { isFirst[$0] }), try subset(labels.indices.filter { !isFirst[$0] })
        )
    }

    /// How many of `count` images fall to each class: its quota by size, rounded so that the shares add up, with one
    /// image of each class left for either part.
    private func shares(of count: Int, classSizes sizes: [Int]) throws -> [Int] {
        if let single = sizes.firstIndex(of: 1) {
            throw DatasetFailure.invalidSplit(
                dataset: name, detail: "class '\(classNames[single])' has one image, which cannot be in both parts")
        }
        let present = sizes.count { $0 > 0 }
        guard count >= present, count <= self.count - present, count > 0 else {
            throw DatasetFailure.invalidSplit(
                dataset: name,
                detail: "\(count) of \(self.count) images do not leave one of each of \(present) classes in both parts")
        }
        let quotas = sizes.map { Double($0) * Double(count) / Double(self.count) }
        var shares = zip(quotas, sizes).map { quota, size in size == 0 ? 0 : min(max(Int(quota), 1), size - 1) }
        var sum = shares.reduce(0, +)
        // Off by less than one image a class, so each turn of the loop can look at all classes.
        while sum != count {
            let step = sum < count ? 1 : -1
            let movable = sizes.indices.filter {
                sizes[$0] > 0 && (1..<sizes[$0]).contains(shares[$0] + step)
            }
            // The share that is furthest below its quota grows, or the one furthest above it shrinks.
            guard let best = movable.max(by: {
                (quotas[$0] - Double(shares[$0])) * Double(step) < (quotas[$1] - Double(shares[$1])) * Double(step)
            }) else { break }
            shares[best] += step
            sum += step
        }
        return shares
    }

    private func part(images: Tensor, labels: [Int]) -> ImageDataset {
        ImageDataset(
            name: name, split: split, checkedImages: images, labels: labels, classNames: classNames, mean: mean,
            deviation: deviation)
    }
}
