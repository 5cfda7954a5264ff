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
        let members = members
        try requireRoom(for: count, classSizes: members.map(\.count))
        let isFirst = chosen(count, of: members, least: 1, seed: seed)
        return (
            try subset(labels.indices.filter { isFirst[$0] }), try subset(labels.indices.filter { !isFirst[$0] })
        )
    }

    /// `count` images by chance, all where there are fewer. Classes keep their proportions as nearly as whole images allow;
    /// of a small class there may be none. The order of images is kept.
    /// - Throws: `DatasetFailure.invalidOption` for a count below 1.
    /// - Complexity: O(N log N).
    public func sample(count: Int, seed: UInt64) throws -> ImageDataset {
        guard count >= 1 else {
            throw DatasetFailure.invalidOption(option: "count", detail: "\(count) images cannot be drawn")
        }
        guard count < self.count else { return self }
        let isChosen = chosen(count, of: members, least: 0, seed: seed)
        return try subset(labels.indices.filter { isChosen[$0] })
    }

    /// The indices of the images of each class.
    private var members: [[Int]] {
        var members = [[Int]](repeating: [], count: classCount)
        for (index, label) in labels.enumerated() { members[label].append(index) }
        return members
    }

    /// Which images are among `count` that are drawn by chance from each class in proportion.
    private func chosen(_ count: Int, of members: [[Int]], least: Int, seed: UInt64) -> [Bool] {
        let shares = shares(of: count, classSizes: members.map(\.count), least: least)
        let source = RandomSource(seed: seed)
        var isFirst = [Bool](repeating: false, count: self.count)
        for (label, share) in shares.enumerated() {
            var random = source.stream(UInt64(label))
            for position in SampleOrder.shuffled(members[label].count, using: &random).prefix(share) {
                isFirst[members[label][position]] = true
            }
        }
        return isFirst
    }

    /// - Throws: `invalidSplit` unless each class can have an image in both parts.
    private func requireRoom(for count: Int, classSizes sizes: [Int]) throws {
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
    }

    /// How many of `count` images fall to each class: its quota by size, rounded so that the shares add up, with `least`
    /// images of each class taken and left.
    private func shares(of count: Int, classSizes sizes: [Int], least: Int) -> [Int] {
        let quotas = sizes.map { Double($0) * Double(count) / Double(self.count) }
        var shares = zip(quotas, sizes).map { quota, size in size == 0 ? 0 : min(max(Int(quota), least), size - least) }
        var sum = shares.reduce(0, +)
        // Off by less than one image a class, so each turn of the loop can look at all classes.
        while sum != count {
            let step = sum < count ? 1 : -1
            let movable = sizes.indices.filter {
                sizes[$0] > 0 && (least...sizes[$0] - least).contains(shares[$0] + step)
            }
            // The share that is furthest below its quota grows, or the one furthest above it shrinks.
            guard
                let best = movable.max(by: {
                    (quotas[$0] - Double(shares[$0])) * Double(step) < (quotas[$1] - Double(shares[$1])) * Double(step)
                })
            else { break }
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
