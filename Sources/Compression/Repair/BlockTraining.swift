import Autograd
import Basics
import Execution
import Graphs
import Tensors
import Training

/// The training of one block on what was recorded of it. Batch normalisations use their running statistics, as they do when the
/// model is used, and these stay as they are.
struct BlockTraining {
    /// The block as a graph of its own.
    let part: Graph
    /// What goes into the block and what is to come out of it, [N, …] each.
    let inputs: Tensor
    let wanted: Tensor
    /// What tells an error of the block's result.
    let measure: ChannelError
    let batchSize: Int
    let learningRate: Double

    /// With fewer images none can be spared to measure on: those are measured on that the block is trained on.
    private static let leastToDivide = 16
    /// One image of so many is measured on.
    private static let heldOutShare = 8
    /// The rate rises over this share of the training, since the first steps of Adam are as long as all others.
    private static let schedule = LearningRateSchedule.cosine(warmup: 0.05)

    /// Images at a time where nothing is trained.
    private static let measuredBatchSize = 64

    /// What came of it: errors of `ChannelError` on the images that were held out.
    struct Result {
        /// The better ones of those before and those after the training.
        var parameters: ParameterTable
        var before: Double
        var after: Double
        var stepCount: Int
        var isKept: Bool { after < before }
    }

    /// Trains until `progress` of the training, from 0 to 1 and asked after every step, reaches 1; or until a loss, a gradient or an
    /// update is no finite number, when the parameters before it count as what was trained.
    /// - Parameter progress: gets the number of steps so far and the error of the last batch.
    /// - Throws: `Interrupted`; what `progress` throws; failures of the operations.
    func train(using random: inout RandomSource, progress: (_ steps: Int, _ error: Double) throws -> Double) throws -> Result {
        var order = Array(0..<inputs.shape[0])
        order.shuffle(using: &random)
        let heldOutCount = order.count >= Self.leastToDivide ? order.count / Self.heldOutShare : 0
        let heldOut = heldOutCount > 0 ? Array(order.suffix(heldOutCount)) : order
        order.removeLast(heldOutCount)

        let before = try error(part.parameters, on: heldOut)
        let (parameters, stepCount) = try trained(order, using: &random, progress: progress)
        let after = try error(parameters, on: heldOut)
        return Result(
            parameters: after < before ? parameters : part.parameters, before: before, after: after, stepCount: stepCount)
    }

    private func trained(
        _ images: [Int], using random: inout RandomSource, progress: (Int, Double) throws -> Double
    ) throws -> (parameters: ParameterTable, stepCount: Int) {
        let executor = TapeExecutor(part)
        var optimizer = try Adam(learningRate: learningRate)
        var (parameters, good, stepCount) = (part.parameters, part.parameters, 0)
        var (order, position) = (images, images.count)
        let count = min(batchSize, images.count)
        var share = 0.0
        while share < 1 {
            try Cancellation.check()
            if position + count > order.count {
                order.shuffle(using: &random)
                position = 0
            }
            let batch = Array(order[position..<position + count])
            position += count
            let (error, gradients) = try gradients(executor, parameters, batch)
            guard error.isFinite else { return (good, stepCount) }
            good = parameters
            optimizer.learningRate = learningRate * Self.schedule.factor(at: share)
            do {
                try optimizer.step(&parameters, gradients: gradients)
            } catch TrainingFailure.gradientNotFinite, TrainingFailure.updateNotFinite {
                return (good, stepCount)
            }
            stepCount += 1
            share = try progress(stepCount, error)
        }
        return (parameters, stepCount)
    }

    /// The error of a batch, and the gradients of the trainable parameters by name.
    private func gradients(
        _ executor: TapeExecutor, _ parameters: ParameterTable, _ batch: [Int]
    ) throws -> (error: Double, gradients: [String: Tensor]) {
        let tape = Tape()
        let result = try executor.forward(
            [try inputs.gathered(rows: batch)], parameters: parameters, on: tape, isTraining: false, recordsGradients: true)
        let output = result.outputs[0]
        let gradient = try Tensor(uninitialized: output.tensor.shape)
        let error = try measure.error(of: output.tensor, wanted.gathered(rows: batch), gradient: gradient)
        let gradients = try tape.gradients(of: output, weightedBy: gradient)
        return (error, result.parameters.compactMapValues { $0.requiresGradient ? gradients[$0] : nil })
    }

    /// The error of the block on images, each of which counts alike.
    private func error(_ parameters: ParameterTable, on images: [Int]) throws -> Double {
        var changed = part
        changed.parameters = parameters
        let engine = InferenceEngine(changed)
        var sum = 0.0
        for start in stride(from: 0, to: images.count, by: Self.measuredBatchSize) {
            let batch = Array(images[start..<min(start + Self.measuredBatchSize, images.count)])
            let result = try engine.run([try inputs.gathered(rows: batch)])[0]
            sum += try measure.error(of: result, wanted.gathered(rows: batch)) * Double(batch.count)
        }
        return sum / Double(max(1, images.count))
    }
}
