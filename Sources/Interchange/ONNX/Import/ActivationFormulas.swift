import Graphs
import Operations
import Tensors

/// Finds activation functions that exporters wrote out as formulas, and puts one operation in their place.
///
/// Each of them is a polynomial in x and in e, where e is a function (erf, tanh, sigmoid, …) of a polynomial in x. So
/// terms are multiplied out, which makes one formula of all orders of factors and sums.
struct ActivationFormulas {
    private struct Formula {
        /// Whether an operation is the function inside.
        let isInner: @Sendable (any GraphOperation) -> Bool
        /// Whether an operation is the function of what the inner one gives, where e is by two of them.
        var isOuter: (@Sendable (any GraphOperation) -> Bool)?
        /// Its argument, and the whole.
        let argument: Polynomial
        let whole: Polynomial
        let operation: any GraphOperation
    }

    private static let formulas = [
        Formula(
            isInner: { $0 is ErrorFunction }, argument: [.x: 0.5.squareRoot()], whole: [.x: 0.5, .xe: 0.5], operation: GELU()),
        Formula(
            isInner: { $0 is Tanh }, argument: [.x: 0.797_884_560_8, .xxx: 0.797_884_560_8 * 0.044715],
            whole: [.x: 0.5, .xe: 0.5], operation: GELU(isApproximate: true)),
        Formula(isInner: { $0 is Sigmoid }, argument: [.x: 1], whole: [.xe: 1], operation: SiLU()),
        Formula(
            isInner: { ($0 as? HardSigmoid).map { abs($0.alpha - 1 / 6) < 1e-6 && abs($0.beta - 0.5) < 1e-6 } ?? false },
            argument: [.x: 1], whole: [.xe: 1], operation: HardSwish()),
        Formula(
            isInner: { ($0 as? Clip).map { $0.low == 0 && $0.high == 6 } ?? false },
            argument: [.x: 1, .one: 3], whole: [.xe: 1 / 6], operation: HardSwish()),
        Formula(isInner: { $0 is Softplus }, isOuter: { $0 is Tanh }, argument: [.x: 1], whole: [.xe: 1], operation: Mish()),
    ]

    /// How many nodes away from the inner function its argument and its use are looked for.
    private static let reach = 6

    private let graph: Graph
    private let makers: [String: Int]
    private let readers: [String: [Int]]

    init(_ graph: Graph) {
        self.graph = graph
        makers = Dictionary(graph.nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
        readers = Liveness.consumers(of: graph)
    }

    /// The nodes with formulas replaced; what they were made of is left over, read by nothing.
    func recognised() -> [Node] {
        var nodes = graph.nodes
        for (index, node) in graph.nodes.enumerated() {
            for formula in Self.formulas where formula.isInner(node.operation) {
                guard let (last, x) = find(formula, around: index) else { continue }
                nodes[last] = Node(nodes[last].name, formula.operation, [.value(x)])
                break
            }
        }
        return nodes
    }

    private func find(_ formula: Formula, around inner: Int) -> (last: Int, x: String)? {
        guard let argument = graph.nodes[inner].valueInputs.first, let e = result(of: formula, at: inner) else { return nil }
        for x in ancestors(of: argument) where polynomial(of: argument, x: x, e: e)?.isClose(to: formula.argument) == true {
            let last = followers(of: e).first { polynomial(of: graph.nodes[$0].name, x: x, e: e)?.isClose(to: formula.whole) == true }
            if let last { return (last, x) }
        }
        return nil
    }

    /// The value that is e where the inner function is at `inner`.
    private func result(of formula: Formula, at inner: Int) -> String? {
        let name = graph.nodes[inner].name
        guard let isOuter = formula.isOuter else { return name }
        return readers[name]?.first { isOuter(graph.nodes[$0].operation) }.map { graph.nodes[$0].name }
    }

    /// The value itself and those it is computed from by arithmetic, nearest first.
    private func ancestors(of value: String) -> [String] {
        var found = [value]
        var front = [value]
        for _ in 0..<Self.reach {
            front = front.flatMap { value in
                makers[value].map { Polynomial.isArithmetic(graph.nodes[$0].operation) ? graph.nodes[$0].valueInputs : [] } ?? []
            }.filter { !found.contains($0) }
            found += front
        }
        return found
    }

    /// Positions of the nodes that compute by arithmetic with the value, nearest first.
    private func followers(of value: String) -> [Int] {
        var found: [Int] = []
        var front = [value]
        for _ in 0..<Self.reach {
            let next = front.flatMap { readers[$0] ?? [] }
                .filter { Polynomial.isArithmetic(graph.nodes[$0].operation) && !found.contains($0) }
            found += next
            front = next.map { graph.nodes[$0].name }
        }
        return found
    }

    // MARK: Multiplying out

    private func polynomial(of value: String, x: String, e: String, depth: Int = 0) -> Polynomial? {
        if value == x { return [.x: 1] }
        if value == e { return [.e: 1] }
        guard depth <= 2 * Self.reach, let index = makers[value] else { return nil }
        let node = graph.nodes[index]
        func operand(_ position: Int) -> Polynomial? {
            guard position < node.inputs.count else { return nil }
            switch node.inputs[position] {
            case .value(let name): return polynomial(of: name, x: x, e: e, depth: depth + 1)
            case .parameter(let name): return number(name).map { [.one: $0] }
            }
        }
        switch node.operation {
        case let scale as Scale: return operand(0)?.multiplied(by: [.one: scale.factor])
        case let add as Add where !add.hasReLU: return operand(0).flatMap { a in operand(1).map { a.added($0) } }
        case is Subtract:
            return operand(0).flatMap { a in operand(1).flatMap { $0.multiplied(by: [.one: -1]) }.map { a.added($0) } }
        case is Multiply: return operand(0).flatMap { a in operand(1).flatMap { a.multiplied(by: $0) } }
        case is Divide:
            guard let divisor = operand(1)?.constant, divisor != 0 else { return nil }
            return operand(0)?.multiplied(by: [.one: 1 / divisor])
        case is Power:
            guard let power = operand(1)?.constant, [1, 2, 3].contains(power), let base = operand(0) else { return nil }
            return (1..<Int(power)).reduce(base) { product, _ in product?.multiplied(by: base) }
        default: return nil
        }
    }

    /// A parameter that is one number, of a shape that changes no other's.
    private func number(_ name: String) -> Double? {
        guard let tensor = graph.parameters[name]?.tensor, tensor.elementCount == 1, tensor.rank <= 1 else { return nil }
        return try? tensor.scalar()
    }
}

/// Coefficients by powers of x and e, of degree 4 at most.
private struct Polynomial: ExpressibleByDictionaryLiteral {
    struct Term: Hashable {
        let x: Int
        let e: Int
        static let one = Term(x: 0, e: 0)
        static let x = Term(x: 1, e: 0)
        static let xxx = Term(x: 3, e: 0)
        static let e = Term(x: 0, e: 1)
        static let xe = Term(x: 1, e: 1)
    }

    private var terms: [Term: Double]

    init(dictionaryLiteral elements: (Term, Double)...) { terms = Dictionary(elements) { $0 + $1 } }

    static func isArithmetic(_ operation: any GraphOperation) -> Bool {
        switch operation {
        case is Scale, is Add, is Subtract, is Multiply, is Divide, is Power: true
        default: false
        }
    }

    /// The number that it is.
    var constant: Double? { terms.keys.allSatisfy { $0 == .one } ? terms[.one] ?? 0 : nil }

    func added(_ other: Polynomial) -> Polynomial {
        var result = self
        result.terms.merge(other.terms) { $0 + $1 }
        return result
    }

    func multiplied(by other: Polynomial) -> Polynomial? {
        var result: Polynomial = [:]
        for (a, first) in terms {
            for (b, second) in other.terms {
                let term = Term(x: a.x + b.x, e: a.e + b.e)
                guard term.x + term.e <= 4 else { return nil }
                result.terms[term, default: 0] += first * second
            }
        }
        return result
    }

    /// Files hold the constants in float32, or with as many digits as somebody cared to write.
    func isClose(to other: Polynomial) -> Bool {
        Set(terms.keys).union(other.terms.keys).allSatisfy { term in
            abs((terms[term] ?? 0) - (other.terms[term] ?? 0)) <= 1e-4 * abs(other.terms[term] ?? 0) + 1e-7
        }
    }
}
