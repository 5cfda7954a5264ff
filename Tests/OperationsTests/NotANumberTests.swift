import Operations
import Tensors
import Testing

/// A not-a-number that an element of the result depends on makes it one, in every operation of the catalog.
@Suite(.serialized) struct NotANumberTests {
    private func values(_ operation: any GraphOperation, _ inputs: [Tensor], isTraining: Bool) throws -> [Float] {
        let mode = EvaluationMode(isTraining: isTraining, recordsGradient: isTraining)
        return try operation.evaluate(inputs, mode).outputs.flatMap { try $0.contiguous().array(of: Float.self) }
    }

    /// The inputs with one element of one of them put through `change`.
    private func inputs(_ tensors: [Tensor], _ input: Int, _ place: Int, _ change: (Float) -> Float) throws -> [Tensor] {
        var tensors = tensors
        var numbers = try tensors[input].array(of: Float.self)
        numbers[place] = change(numbers[place])
        tensors[input] = try Tensor(numbers, shape: tensors[input].shape)
        return tensors
    }

    /// What depends on an element is found by changing it, a little and a lot, up and down. Gather's places may not be
    /// not-a-numbers, which it says; dropout's count of passes is no number that is calculated with.
    @Test(arguments: GradientCase.all, [false, true]) func reachesWhatDependsOnIt(_ example: GradientCase, isTraining: Bool) throws {
        let tensors = try example.inputs()
        guard let plain = try? values(example.operation, tensors, isTraining: isTraining) else {
            #expect(example.operation is BatchNorm, "only its statistics may need more values than an example has")
            return
        }
        for (input, tensor) in tensors.enumerated() where tensor.dtype == .float32 && !(example.operation is Dropout && input == 1) {
            for place in Set([0, tensor.elementCount / 3, tensor.elementCount / 2, tensor.elementCount - 1]) {
                let changed = [1, -1, 100, -100].compactMap { step in
                    try? values(example.operation, inputs(tensors, input, place) { $0 + step }, isTraining: isTraining)
                }
                guard let spoilt = try? values(example.operation, inputs(tensors, input, place) { _ in .nan }, isTraining: isTraining)
                else {
                    #expect(example.operation is Gather)
                    continue
                }
                let lost = plain.indices.filter { i in changed.contains { $0[i] != plain[i] } && !spoilt[i].isNaN }
                #expect(lost.isEmpty, "input \(input), element \(place): \(lost.count) elements stay numbers")
            }
        }
    }

    /// The gradient of a not-a-number is one, but for what the operation holds back or chooses not.
    @Test(arguments: GradientCase.all) func reachesTheGradients(_ example: GradientCase) throws {
        func gradients(_ dy: (Shape) throws -> Tensor) throws -> [[Float]?] {
            let mode = EvaluationMode(isTraining: example.isTraining, recordsGradient: true)
            let evaluation = try example.operation.evaluate(example.inputs(), mode)
            return try evaluation.gradients(from: dy(evaluation.outputs[0].shape), needed: example.differentiable)?
                .map { try $0?.contiguous().array(of: Float.self) } ?? []
        }
        let plain = try gradients { try Samples.normal($0, seed: 3) }
        let spoilt = try gradients { try .full($0, Double.nan) }
        for input in plain.indices where example.differentiable[input] {
            let (before, after) = (try #require(plain[input]), try #require(spoilt[input]))
            let lost = before.indices.filter { before[$0] != 0 && !after[$0].isNaN }
            #expect(lost.isEmpty, "input \(input): \(lost.count) of \(before.count) gradients stay numbers")
        }
    }
}
