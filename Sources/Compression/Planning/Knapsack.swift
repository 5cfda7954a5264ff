/// One option for every layer with the least sum of losses within limits: a multiple-choice knapsack.
///
/// The relaxed problem has its solution on the lower convex hulls of loss over cost: every layer climbs its hull, the
/// step that saves most loss per cost first, which is what a falling Lagrange multiplier would do, until the next step
/// no longer fits. What is left is spent on whatever saves most loss and still fits. Several limits count as one
/// cost, Σ w_q · cost_q / limit_q, whose weights move towards the limit that binds; the best of all rounds is kept. What
/// meets them together may lie on no hull: then layers move, one at a time, to what lowers the excess most.
/// - Reference: H. Kellerer, U. Pferschy, D. Pisinger, *Knapsack Problems*, Springer 2004, chapter 11.
package struct Knapsack {
    package struct Solution {
        /// An option's index per layer.
        package var choice: [Int]
        package var loss: Double
        /// The limit that the first step left out would have broken.
        package var binding: Int?
        /// What no choice within the limits can lose less than; `nil` where nothing bounds it.
        package var leastLoss: Double?

        /// By how much at most the loss is above the least possible, as a share of itself.
        package var gap: Double? { leastLoss.map { loss > 0 ? max(0, 1 - $0 / loss) : 0 } }
    }

    /// Per layer its options, and the factor of its losses.
    let layers: [(options: RankCandidates, weight: Double)]
    /// What the layers may cost together, one number per limited quantity.
    let limits: [Int]

    private static let rounds = 24

    package init(layers: [(options: RankCandidates, weight: Double)], limits: [Int]) {
        (self.layers, self.limits) = (layers, limits)
    }

    /// `nil` where not even the cheapest options fit.
    package func solve() -> Solution? {
        var weights = [Double](repeating: 1 / Double(max(1, limits.count)), count: limits.count)
        var best: Solution?
        var leastLoss = 0.0
        for _ in 0..<(limits.count > 1 ? Self.rounds : 1) {
            let (found, demand, bound) = climb(weights)
            leastLoss = max(leastLoss, bound)
            if let found, found.loss < best?.loss ?? .infinity { best = found }
            // Weights follow how much of each limit the unlimited solution at this price would take.
            let total = zip(weights, demand).reduce(0) { $0 + $1.0 * $1.1 }
            if total > 0 { weights = zip(weights, demand).map { $0 * $1 / total } }
        }
        best?.leastLoss = leastLoss
        return best
    }

    /// The solution under one combined cost, the share of each limit that it uses, and what no solution can lose less than.
    ///
    /// What meets all limits also meets their weighted sum, so the relaxed problem under that one limit loses at most as much. Its
    /// solution climbs the hulls up to the step that does not fit, of which it takes the part that does.
    private func climb(_ weights: [Double]) -> (solution: Solution?, demand: [Double], leastLoss: Double) {
        let prices = zip(weights, limits).map { $0 / Double(max(1, $1)) }
        var choice: [Int] = []
        var steps: [(slope: Double, layer: Int, option: Int, cost: Double)] = []
        var (relaxed, room) = (0.0, zip(prices, limits).reduce(0) { $0 + $1.0 * Double($1.1) })
        for (index, layer) in layers.enumerated() {
            let hull = Self.hull(layer.options, prices)
            choice.append(hull[0].option)
            relaxed += layer.weight * hull[0].loss
            room -= hull[0].cost
            for (from, to) in zip(hull, hull.dropFirst()) {
                let slope = layer.weight * (from.loss - to.loss) / (to.cost - from.cost)
                steps.append((slope, index, to.option, to.cost - from.cost))
            }
        }
        steps.sort { ($0.slope, $1.layer) > ($1.slope, $0.layer) }
        for step in steps where room > 0 {
            relaxed -= step.slope * min(step.cost, room)
            room -= step.cost
        }
        relaxed = max(0, relaxed)
        var used = usage(choice)
        guard excess(used) == 0 else {
            let demand = shares(used)
            guard settle(&choice, &used, within: .infinity) else { return (nil, demand, relaxed) }
            fill(&choice, &used)
            return (Solution(choice: choice, loss: loss(choice), binding: demand.indices.max { demand[$0] < demand[$1] }), demand, relaxed)
        }
        var (stopped, binding) = (Set<Int>(), Int?.none)
        for step in steps where !stopped.contains(step.layer) {
            if let broken = move(&choice, &used, step.layer, to: step.option) {
                stopped.insert(step.layer)
                binding = binding ?? broken
            }
        }
        let demand = shares(used)
        fill(&choice, &used)
        return (Solution(choice: choice, loss: loss(choice), binding: binding), demand, relaxed)
    }

    private func shares(_ used: [Int]) -> [Double] { zip(used, limits).map { Double($0) / Double(max(1, $1)) } }

    private func loss(_ choice: [Int]) -> Double {
        zip(layers, choice).reduce(0) { $0 + $1.0.weight * $1.0.options.losses[$1.1] }
    }

    package func usage(_ choice: [Int]) -> [Int] {
        limits.indices.map { k in zip(layers, choice).reduce(0) { $0 + $1.0.options.costs[k][$1.1] } }
    }

    /// How far limits are exceeded, in shares of them, together.
    private func excess(_ used: [Int]) -> Double {
        zip(used, limits).reduce(0) { $0 + Double(max(0, $1.0 - $1.1)) / Double(max(1, $1.1)) }
    }

    /// Moves one layer after another to the option of at most this loss that lowers the excess most; of equal ones the one
    /// that loses least. Whether the limits are met then.
    private func settle(_ choice: inout [Int], _ used: inout [Int], within largestLoss: Double) -> Bool {
        var now = excess(used)
        while now > 0 {
            var best: (layer: Int, option: Int, excess: Double, loss: Double)?
            for (layer, entry) in layers.enumerated() {
                let costs = entry.options.costs
                for option in 0..<entry.options.count where entry.options.losses[option] <= largestLoss {
                    var there = 0.0
                    for k in limits.indices {
                        let over = used[k] + costs[k][option] - costs[k][choice[layer]] - limits[k]
                        if over > 0 { there += Double(over) / Double(max(1, limits[k])) }
                    }
                    let loss = entry.weight * (entry.options.losses[option] - entry.options.losses[choice[layer]])
                    if (there, loss) < (best?.excess ?? now, best?.loss ?? -.infinity) { best = (layer, option, there, loss) }
                }
            }
            guard let best else { return false }
            let costs = layers[best.layer].options.costs
            for k in limits.indices { used[k] += costs[k][best.option] - costs[k][choice[best.layer]] }
            choice[best.layer] = best.option
            now = best.excess
        }
        return true
    }

    /// Moves a layer to an option unless that breaks a limit, whose index it then gives.
    private func move(_ choice: inout [Int], _ used: inout [Int], _ layer: Int, to option: Int) -> Int? {
        let costs = layers[layer].options.costs
        for k in limits.indices where used[k] + costs[k][option] - costs[k][choice[layer]] > limits[k] { return k }
        for k in limits.indices { used[k] += costs[k][option] - costs[k][choice[layer]] }
        choice[layer] = option
        return nil
    }

    /// Gives the layers what still fits, in the order of the loss that it saves each.
    func fill(_ choice: inout [Int], _ used: inout [Int]) {
        func best(_ layer: Int) -> (option: Int, saved: Double)? {
            let (options, now) = (layers[layer].options, choice[layer])
            var best: (option: Int, saved: Double)?
            for option in 0..<options.count where options.losses[option] < options.losses[now] {
                let saved = layers[layer].weight * (options.losses[now] - options.losses[option])
                guard saved > best?.saved ?? 0 else { continue }
                let fits = limits.indices.allSatisfy {
                    used[$0] + options.costs[$0][option] - options.costs[$0][now] <= limits[$0]
                }
                if fits { best = (option, saved) }
            }
            return best
        }
        let order = layers.indices.compactMap { layer in best(layer).map { (layer: layer, saved: $0.saved) } }
            .sorted { ($0.saved, $1.layer) > ($1.saved, $0.layer) }
        for entry in order {
            if let next = best(entry.layer) { _ = move(&choice, &used, entry.layer, to: next.option) }
        }
    }

    /// The lower convex hull of loss over the combined cost, cheapest first.
    private static func hull(
        _ options: RankCandidates, _ prices: [Double]
    ) -> [(option: Int, cost: Double, loss: Double)] {
        var points = (0..<options.count).map { option in
            (
                option: option, cost: prices.indices.reduce(0) { $0 + prices[$1] * Double(options.costs[$1][option]) },
                loss: options.losses[option]
            )
        }
        if prices.count > 1 { points.sort { ($0.cost, $0.loss) < ($1.cost, $1.loss) } }
        var hull: [(option: Int, cost: Double, loss: Double)] = []
        for point in points {
            if let last = hull.last, point.loss >= last.loss || point.cost <= last.cost { continue }
            while hull.count >= 2 {
                let (a, b) = (hull[hull.count - 2], hull[hull.count - 1])
                // b is above the line from a to the point: its step would save less per cost than the next.
                guard (a.loss - b.loss) * (point.cost - b.cost) <= (b.loss - point.loss) * (b.cost - a.cost) else { break }
                hull.removeLast()
            }
            hull.append(point)
        }
        return hull
    }

    // MARK: The largest loss instead of the sum

    /// The smallest bound on every layer's loss that fits: each layer takes the cheapest option within it.
    package func solveLargest() -> Solution? {
        let thresholds = Set(layers.flatMap(\.options.losses)).sorted()
        func cheapest(_ options: RankCandidates, _ threshold: Double) -> Int {
            func price(_ option: Int) -> Double {
                limits.indices.reduce(0) { $0 + Double(options.costs[$1][option]) / Double(max(1, limits[$1])) }
            }
            return (0..<options.count).filter { options.losses[$0] <= threshold }.min { price($0) < price($1) }
                ?? (0..<options.count).min { options.losses[$0] < options.losses[$1] } ?? 0
        }
        /// What meets the limits within a bound, or the limit that is in the way.
        func attempt(_ threshold: Double) -> (choice: [Int], used: [Int], broken: Int?) {
            var choice = layers.map { cheapest($0.options, threshold) }
            var used = usage(choice)
            let broken = zip(used, limits).enumerated().first { $0.element.0 > $0.element.1 }?.offset
            if broken == nil || settle(&choice, &used, within: threshold) { return (choice, used, nil) }
            return (choice, used, broken)
        }
        guard let last = thresholds.last else { return nil }
        var best = attempt(last)
        guard best.broken == nil else { return nil }
        var (low, high) = (-1, thresholds.count - 1)
        var binding: Int?
        while high - low > 1 {
            let middle = (low + high) / 2
            let tried = attempt(thresholds[middle])
            if tried.broken == nil { (high, best) = (middle, tried) } else { (low, binding) = (middle, tried.broken) }
        }
        var (chosen, used) = (best.choice, best.used)
        fill(&chosen, &used)
        return Solution(choice: chosen, loss: loss(chosen), binding: binding)
    }
}
