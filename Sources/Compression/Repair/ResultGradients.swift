import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors

/// How a model's results depend on a value inside it, as random gradients: on average over many, the square of their product with
/// a small change of the value is twice the divergence of the results that it makes.
///
/// For results that are rows of classes each gradient is Jᵀ v with E[v vᵀ] = diag(p) − p pᵀ, the Fisher information of the logits; for
/// any others v is standard normal, and what is approximated is the squared difference.
/// - Reference: Li et al., *BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction*, ICLR 2021,
///   arXiv:2102.05426 (diagonal Fisher information in place of the Hessian); Martens, *New Insights and Perspectives on the
///   Natural Gradient Method*, 2014, arXiv:1412.1193.
enum ResultGradients {
    /// So many images tell what channels count.
    static let imageCount = 64

    /// - Parameters:
    ///   - value: the name of a value that everything passes through.
    ///   - known: the value for some images, [N, …].
    /// - Returns: one gradient for each image, of the shape of `known`; `nil` where the model has several results.
    /// - Throws: failures of the operations.
    /// - Complexity: a forward and a backward pass over what follows the value.
    static func gradients(
        of dense: Graph, at value: String, known: Tensor, using random: inout RandomSource
    ) throws -> Tensor? {
        guard dense.outputs.count == 1 else { return nil }
        let rest = try dense.computing(dense.outputs, from: [value: known.shape.sample])
        let tape = Tape()
        let entered = tape.variable(known, requiresGradient: true)
        let result = try TapeExecutor(rest).forward(
            [entered], parameters: rest.parameters, on: tape, isTraining: false, recordsGradients: false
        ).outputs[0]
        return try tape.gradients(of: result, weightedBy: weights(result.tensor, using: &random))[entered]
    }

    private static func weights(_ result: Tensor, using random: inout RandomSource) throws -> Tensor {
        let noise = try Tensor.normal(result.shape, using: &random)
        guard result.rank == 2, result.shape[1] > 1 else { return noise }
        // v = √p ∘ (ε − √p (√p · ε))
        let root = try result.contiguous().softmax().squareRoot()
        let along = try root.multiplying(noise).sum(along: 1, keeping: true)
        return try root.multiplying(noise.subtracting(root.multiplying(along)))
    }
}
