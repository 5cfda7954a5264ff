import Autograd
import LuaRuntime
import Operations
import Tensors

/// A tensor as scripts hold it: plain, or on a tape.
final class TensorObject: LuaObjectConvertible {
    let tensor: Tensor
    let recorded: Recorded?

    /// A value on a tape.
    struct Recorded {
        let pass: TapeObject
        let variable: Variable
    }

    init(_ tensor: Tensor, _ recorded: Recorded? = nil) {
        self.tensor = tensor
        self.recorded = recorded
    }

    /// The result of `operation`, on the tape when an operand is.
    static func apply(_ operation: any GraphOperation, _ operands: [TensorObject]) throws -> TensorObject {
        guard let pass = operands.lazy.compactMap(\.recorded?.pass).first else {
            return TensorObject(try operation.evaluate(operands.map(\.tensor), .inference).outputs[0])
        }
        try pass.expect(operations: 1)
        let variables = try operands.map { try pass.enter($0, operation: operation.name) }
        let result = try pass.tape.apply(operation, variables)[0]
        return TensorObject(result.tensor, Recorded(pass: pass, variable: result))
    }

    /// The result of `operation` where this tensor is on a tape, else of `plain`, which gives the same elements and also
    /// knows other types.
    func mapped(_ operation: @autoclosure () -> any GraphOperation, plain: (Tensor) throws -> Tensor) throws -> TensorObject {
        recorded == nil ? TensorObject(try plain(tensor)) : try Self.apply(operation(), [self])
    }

    /// - Throws: `notDifferentiable` for a tensor on a tape.
    func requirePlain(_ operation: String) throws {
        if recorded != nil { throw BindingFailure.notDifferentiable(operation: operation) }
    }

    /// This tensor in float32, which those on a tape are already.
    func inFloats() throws -> TensorObject {
        tensor.dtype == .float32 ? self : TensorObject(try tensor.converted(to: .float32))
    }
}
