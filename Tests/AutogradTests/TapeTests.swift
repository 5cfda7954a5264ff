import Autograd
import Basics
import Operations
import Tensors
import Testing

@Suite(.serialized) struct TapeTests {
    private func vector(_ values: Float...) throws -> Tensor { try Tensor(values) }

    @Test func gradientsOfAVariableUsedTwiceAddUp() throws {
        let tape = Tape()
        let x = tape.variable(try vector(1, -2, 3), requiresGradient: true)
        let square = try tape.apply(Multiply(), [x, x])
        let sum = try tape.apply(Add(), [square[0], x])
        let gradients = try tape.gradients(of: tape.apply(Sum(isMean: false), sum)[0])
        #expect(try #require(gradients[x]).array(of: Float.self) == [3, -3, 7])  // 2x + 1
    }

    @Test func onlyWhatIsRequiredGetsAGradient() throws {
        let tape = Tape()
        let x = tape.variable(try vector(1, 2), requiresGradient: true)
        let fixed = tape.variable(try vector(3, 4))
        let unused = tape.variable(try vector(5, 6), requiresGradient: true)
        let loss = try tape.apply(Sum(isMean: false), tape.apply(Multiply(), [x, fixed]))[0]
        let gradients = try tape.gradients(of: loss)
        #expect(try #require(gradients[x]).array(of: Float.self) == [3, 4])
        #expect(gradients[fixed] == nil && gradients[unused] == nil)
    }

    @Test func branchesNobodyReadsCostNothing() throws {
        let tape = Tape()
        let x = tape.variable(try vector(1, 2), requiresGradient: true)
        _ = try tape.apply(Scale(factor: 100), [x])
        let gradients = try tape.gradients(of: tape.apply(Sum(isMean: true), [x])[0])
        #expect(try #require(gradients[x]).array(of: Float.self) == [0.5, 0.5])
    }

    /// A loss that is worked out beside the tape comes in as its gradient.
    @Test func weightsStandForALoss() throws {
        func square(_ tape: Tape) throws -> (Variable, Variable) {
            let x = tape.variable(try vector(1, -2, 3), requiresGradient: true)
            return (x, try tape.apply(Multiply(), [x, x])[0])
        }
        let tape = Tape()
        let (x, y) = try square(tape)
        let gradients = try tape.gradients(of: y, weightedBy: vector(1, 0.5, -1))
        #expect(try #require(gradients[x]).array(of: Float.self) == [2, -2, -6])
        let other = Tape()
        let value = try square(other).1
        #expect(throws: TensorFailure.self) { try other.gradients(of: value, weightedBy: vector(1, 2)) }
    }

    @Test func aLossMustBeAScalarOnTheTape() throws {
        let tape = Tape()
        let x = tape.variable(try vector(1, 2), requiresGradient: true)
        #expect(throws: AutogradFailure.self) { try tape.gradients(of: x) }
        let constant = try tape.apply(Sum(isMean: false), [tape.variable(vector(1))])[0]
        let failure = #expect(throws: AutogradFailure.self) { try tape.gradients(of: constant) }
        #expect(failure?.code == "autograd.notRecorded")
    }

    @Test func aTapeServesOnePass() throws {
        let tape = Tape()
        let x = tape.variable(try vector(1, 2), requiresGradient: true)
        let loss = try tape.apply(Sum(isMean: false), [x])[0]
        #expect(try tape.gradients(of: loss)[x] != nil)
        #expect(try tape.gradients(of: loss)[x] == nil, "the record is used up")
    }

    @Test func missingRulesAreReported() throws {
        // The labels of a loss, and the teacher of a distillation, have no gradient.
        let tape = Tape()
        let student = tape.variable(try .ones([1, 3]), requiresGradient: true)
        let teacher = tape.variable(try .ones([1, 3]), requiresGradient: true)
        let loss = try tape.apply(KLDivergence(), [student, teacher])[0]
        let failure = #expect(throws: AutogradFailure.self) { try tape.gradients(of: loss) }
        #expect(failure?.description.contains("kl_divergence") == true)
    }

    @Test func nothingIsMutated() throws {
        var random = RandomSource(seed: 4)
        let tensors = [try Tensor.normal([2, 3, 5, 5], using: &random), try .normal([4, 3, 3, 3], using: &random)]
        let before = try tensors.map { try $0.array(of: Float.self) }
        let tape = Tape()
        let variables = tensors.map { tape.variable($0, requiresGradient: true) }
        let conv = try tape.apply(Conv2D(.init(stride: 1, padding: 1), hasBias: false, hasReLU: true), variables)
        _ = try tape.gradients(of: tape.apply(Sum(isMean: false), conv)[0])
        #expect(try tensors.map { try $0.array(of: Float.self) } == before)
    }

    @Test func runningStatisticsAreProposedNotWritten() throws {
        let tape = Tape()
        let ones = try Tensor.ones([2])
        let mean = tape.variable(try .zeros([2]))
        let x = tape.variable(try .full([2, 2, 2, 2], 4))
        _ = try tape.apply(BatchNorm(momentum: 0.25), [x, tape.variable(ones), tape.variable(ones), mean, tape.variable(ones)])
        #expect(tape.stateUpdates.count == 2)
        let proposed = try #require(tape.stateUpdates.first { $0.variable.identifier == mean.identifier })
        #expect(try proposed.value.array(of: Float.self) == [1, 1])
        #expect(try mean.tensor.array(of: Float.self) == [0, 0])
    }

    @Test func aStopIsHonouredAndLeavesTheNextPassAlone() throws {
        func pass() throws -> [Float] {
            let tape = Tape()
            let x = tape.variable(try Tensor([1, 2] as [Float]), requiresGradient: true)
            let loss = try tape.apply(Sum(isMean: false), tape.apply(Scale(factor: 2), [x]))[0]
            let gradients = try tape.gradients(of: loss)
            return try #require(gradients[x]).array(of: Float.self)
        }
        Cancellation.request()
        defer { Cancellation.clear() }
        #expect(throws: Interrupted.self) { try pass() }
        Cancellation.clear()
        #expect(try pass() == [2, 2])
    }

    /// A gradient is only worth something when a wrong one fails the check.
    @Test func theCheckSeesWrongGradients() throws {
        let x = try Tensor([1, -2, 3] as [Float])
        let right = try GradientCheck(Wrong(factor: 2, claimed: 2), inputs: [x], differentiable: [true])
        let wrong = try GradientCheck(Wrong(factor: 2, claimed: 2.2), inputs: [x], differentiable: [true])
        #expect(try #require(right.relativeErrors[0]) < 1e-3)
        #expect(try #require(wrong.relativeErrors[0]) > 2e-2)
    }
}

/// y = factor · x with a claimed gradient.
private struct Wrong: GraphOperation {
    static let name = "wrong"
    static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    let factor: Double
    let claimed: Double

    init(factor: Double, claimed: Double) { (self.factor, self.claimed) = (factor, claimed) }
    init(attributes: Attributes) throws { self.init(factor: 1, claimed: 1) }
    var attributes: Attributes { Attributes(Self.name) }

    func outputShapes(of inputs: [Shape]) throws -> [Shape] { inputs }

    func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        Evaluation([try inputs[0].multiplying(factor)]) { gradients, _ in
            [try gradients[0]?.total().multiplying(claimed)]
        }
    }
}
