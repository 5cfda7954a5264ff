import Autograd
import Operations
import Tensors
import Testing

@Suite(.serialized) struct GradientTests {
    /// Central differences of smooth functions: O(h²) of the function and float32 rounding over 2h.
    static let smoothTolerance = 5e-3
    /// Where a step of h crosses a kink, the difference sees a mean of both slopes: an error of order h per crossing.
    static let kinkTolerance = 3e-2
    static let kinkStep = 2e-3

    @Test(arguments: GradientCase.all) func agreesWithDifferences(_ example: GradientCase) throws {
        let check = try GradientCheck(
            example.operation, inputs: example.inputs(), differentiable: example.differentiable,
            isTraining: example.isTraining, step: example.hasKinks ? Self.kinkStep : 1e-2)
        #expect(check.relativeErrors.map { $0 != nil } == example.differentiable)
        for (input, error) in check.relativeErrors.enumerated() {
            guard let error else { continue }
            #expect(error < (example.hasKinks ? Self.kinkTolerance : Self.smoothTolerance), "input \(input)")
        }
    }

    @Test func everyOperationHasACase() {
        let covered = Set(GradientCase.all.map(\.operation.name))
        let missing = OperationCatalog.all.map { $0.name }.filter { !covered.contains($0) }
        #expect(missing.isEmpty, "no gradient case for \(missing)")
    }

    /// The shapes an operation promises are those it makes, and inference makes the same values as training does
    /// where there are no batch statistics.
    @Test(arguments: GradientCase.all) func shapesAreAsPromised(_ example: GradientCase) throws {
        let inputs = try example.inputs()
        let promised = try example.operation.outputShapes(of: inputs.map(\.shape))
        let trained = try example.operation.evaluate(
            inputs, EvaluationMode(isTraining: example.isTraining, recordsGradient: true))
        #expect(trained.outputs.map(\.shape) == promised)
        let inferred = try example.operation.evaluate(inputs, .inference)
        #expect(inferred.outputs.map(\.shape) == promised)
        guard !(example.isTraining && (example.operation is BatchNorm || example.operation is Dropout)) else { return }
        for (a, b) in zip(inferred.outputs, trained.outputs) { #expect(try relativeDifference(a, b) < 1e-5) }
    }

    /// A gradient that nobody needs is not worked out, and does not disturb the others.
    @Test(arguments: GradientCase.all) func gradientsDoNotDependOnWhichAreWanted(_ example: GradientCase) throws {
        let inputs = try example.inputs()
        let build = { (tape: Tape, v: [Variable]) in try tape.apply(example.operation, v, isTraining: example.isTraining)[0] }
        let all = try Traced(inputs, requires: example.differentiable, build).gradients
        let wanted = example.differentiable.indices.filter { example.differentiable[$0] }
        for (position, input) in wanted.enumerated() {
            let single = try Traced(inputs, requires: inputs.indices.map { $0 == input }, build).gradients
            try #require(single.count == 1)
            #expect(try relativeDifference(single[0], all[position]) < 1e-5, "input \(input)")
        }
    }
}
