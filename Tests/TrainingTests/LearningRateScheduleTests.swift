import Testing
import Training

@Suite struct LearningRateScheduleTests {
    static let tolerance = 1e-12

    static let points: [(LearningRateSchedule, progress: Double, factor: Double)] = [
        (.constant, 0, 1), (.constant, 0.5, 1), (.constant, 1, 1),
        (.cosine(), 0, 1), (.cosine(), 0.5, 0.5), (.cosine(), 1, 0), (.cosine(), 1.0 / 3, 0.75),
        (.cosine(floor: 0.2), 0.5, 0.6), (.cosine(floor: 0.2), 1, 0.2),
        (.cosine(warmup: 0.1), 0, 0), (.cosine(warmup: 0.1), 0.05, 0.5), (.cosine(warmup: 0.1), 0.1, 1),
        (.cosine(warmup: 0.1), 0.55, 0.5), (.cosine(warmup: 0.1), 1, 0),
        (.cosine(warmup: 1), 0.5, 0.5),
        (.step(milestones: [0.5, 0.75]), 0, 1), (.step(milestones: [0.5, 0.75]), 0.4999, 1),
        (.step(milestones: [0.5, 0.75]), 0.5, 0.1), (.step(milestones: [0.5, 0.75]), 0.8, 0.01),
        (.step(milestones: [0.3], factor: 0.5), 1, 0.5), (.step(milestones: []), 1, 1),
        (.oneCycle(), 0, 0.04), (.oneCycle(), 0.15, 0.52), (.oneCycle(), 0.3, 1), (.oneCycle(), 1, 1e-4),
        (.oneCycle(rise: 0.5, start: 0, floor: 0), 0.75, 0.5), (.oneCycle(rise: 0), 0, 1), (.oneCycle(rise: 1), 0.5, 0.52),
    ]

    @Test(arguments: points.indices) func keyPoints(_ index: Int) {
        let (schedule, progress, factor) = Self.points[index]
        #expect(abs(schedule.factor(at: progress) - factor) < Self.tolerance, "\(schedule) at \(progress)")
    }

    @Test(arguments: [LearningRateSchedule.cosine(warmup: 0.2), .oneCycle(), .step(milestones: [0.5])])
    func progressOutsideTheRunIsItsEnds(_ schedule: LearningRateSchedule) {
        #expect(schedule.factor(at: -1) == schedule.factor(at: 0))
        #expect(schedule.factor(at: 7) == schedule.factor(at: 1))
    }

    @Test func nothingJumps() {
        for schedule in [LearningRateSchedule.cosine(warmup: 0.1, floor: 0.01), .oneCycle()] {
            let factors = (0...1000).map { schedule.factor(at: Double($0) / 1000) }
            #expect(zip(factors, factors.dropFirst()).allSatisfy { abs($0 - $1) < 0.011 })
            #expect(factors.allSatisfy { $0 >= 0 && $0 <= 1 })
        }
    }
}
