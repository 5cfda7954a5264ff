#if canImport(Glibc)
    import Glibc
#endif

/// How the learning rate changes over a training run, as a factor of its peak.
public enum LearningRateSchedule: Sendable, Equatable {
    case constant
    /// From 1 down to `floor` along half a cosine, after a linear warm-up over the first `warmup` of the run.
    /// - Reference: Loshchilov, Hutter, *SGDR*, ICLR 2017, arXiv:1608.03983, eq. 5.
    case cosine(warmup: Double = 0, floor: Double = 0)
    /// Times `factor` at each milestone (fractions of the run).
    case step(milestones: [Double], factor: Double = 0.1)
    /// Up to 1 over the first `rise` of the run, then down to almost 0, both along cosines.
    /// - Reference: Smith, Topin, *Super-Convergence*, 2018, arXiv:1708.07120.
    case oneCycle(rise: Double = 0.3, start: Double = 0.04, floor: Double = 1e-4)

    /// The factor after `progress` of the run, 0 at its start and 1 at its end.
    public func factor(at progress: Double) -> Double {
        let t = min(max(progress, 0), 1)
        func between(_ a: Double, _ b: Double, _ x: Double) -> Double { b + (a - b) * (1 + cos(.pi * x)) / 2 }
        switch self {
        case .constant: return 1
        case .cosine(let warmup, let floor):
            if t < warmup { return t / warmup }
            return between(1, floor, warmup < 1 ? (t - warmup) / (1 - warmup) : 1)
        case .step(let milestones, let factor):
            return milestones.reduce(1) { t >= $1 ? $0 * factor : $0 }
        case .oneCycle(let rise, let start, let floor):
            if t < rise { return between(start, 1, t / rise) }
            return between(1, floor, rise < 1 ? (t - rise) / (1 - rise) : 1)
        }
    }
}
