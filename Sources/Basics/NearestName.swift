/// The known name closest to a mistyped one, for "did you mean" hints.
///
/// Distance is Levenshtein's with transpositions counted as one edit (optimal string alignment); names further than
/// a third of their length are not offered, and nothing is offered for a text that is too long to be a name.
/// - Complexity: O(|name| · Σ|candidates|).
package func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    guard name.utf8.count <= 256 else { return nil }
    let target = Array(name.lowercased().unicodeScalars)
    var best: (name: String, distance: Int)?
    for candidate in candidates {
        let distance = editDistance(target, Array(candidate.lowercased().unicodeScalars))
        let allowed = max(1, max(target.count, candidate.unicodeScalars.count) / 3)
        if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
}

/// The hint at the end of a message about a name that is unknown: ` (did you mean 'budget'?)`; nothing where none is near.
package func didYouMean(_ nearest: String?) -> String { nearest.map { " (did you mean '\($0)'?)" } ?? "" }

private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 1...a.count {
        var row = [i] + [Int](repeating: 0, count: b.count)
        for j in 1...b.count {
            row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], beforeLast[j - 2] + 1) }
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
