import Basics
import COneDNN

/// Activations from one format to another.
package enum Reorder {
    struct Key: Hashable, Sendable {
        let dims: [Int]
        let from: UInt32
        let to: UInt32
    }

    package static func primitive(_ shape: Shape, from: ActivationFormat, to: ActivationFormat) throws -> Primitive {
        let d = shape.dims
        let key = Key(dims: d, from: from.cod.rawValue, to: to.cod.rawValue)
        return try ComputeContext.current.primitives.primitive(for: .reorder(key)) {
            try Primitive("reorder") {
                cod_reorder_create(Int64(d[0]), Int64(d[1]), Int64(d[2]), Int64(d[3]), from.cod, to.cod)
            }
        }
    }

    static func run(_ source: Tensor, into target: Tensor, from: ActivationFormat, to: ActivationFormat) throws {
        let primitive = try primitive(source.shape, from: from, to: to)
        try withExtendedLifetime((source.storage, target.storage)) {
            try primitive.execute([(cod_src, source.rawBase), (cod_dst, target.rawBase)])
        }
    }
}

extension Tensor {
    /// The format this rank-4 float32 tensor already lies in, if it is one of oneDNN's.
    package var activationFormat: ActivationFormat? {
        guard case .strided(let strides, _) = layout else { return .blocked }
        if isContiguous { return .plain }
        let last = [shape[1] * shape[2] * shape[3], 1, shape[3] * shape[1], shape[1]]
        return (0..<4).allSatisfy { shape[$0] == 1 || strides[$0] == last[$0] } ? .channelsLast : nil
    }

    /// An unset activation N×C×H×W in `format`.
    package init(uninitializedActivation shape: Shape, format: ActivationFormat) throws {
        switch format {
        case .plain: try self.init(uninitialized: shape)
        case .bfloat16: throw TensorFailure.kernel(operation: "activation", reason: "tensors have no bfloat16")
        case .channelsLast:
            let whole = try Tensor(uninitialized: shape)
            let strides = [shape[1] * shape[2] * shape[3], 1, shape[3] * shape[1], shape[1]]
            self.init(storage: whole.storage, shape: shape, dtype: .float32, layout: .strided(strides, offset: 0))
        case .blocked:
            let shape = try shape.validated("activation", elementBytes: 4 * Layout.channelBlock)
            let storage = try Storage(byteCount: Layout.blockedElementCount(shape) * 4)
            self.init(storage: storage, shape: shape, dtype: .float32, layout: .blocked)
        }
    }

    /// This activation in `format`: itself when it lies so already.
    package func inFormat(_ format: ActivationFormat) throws -> Tensor {
        try requireType(.float32, "activation")
        let own = activationFormat
        if own == format { return self }
        guard let own else { return try contiguous().inFormat(format) }
        let result = try Tensor(uninitializedActivation: shape, format: format)
        if elementCount > 0 { try Reorder.run(self, into: result, from: own, to: format) }
        return result
    }

    /// Memory for a result of this activation's shape and format: its own when nobody else holds it, else new.
    package mutating func takeOver() throws -> Tensor {
        if isSoleOwner { return self }
        return try Tensor(uninitializedActivation: shape, format: activationFormat ?? .plain)
    }

    /// Copies this activation into `target`, of the same shape and a format of its own.
    package func reorder(into target: Tensor) throws {
        guard rank == 4, elementCount > 0, let from = activationFormat, let to = target.activationFormat else {
            let plain = try contiguous()
            return withExtendedLifetime((plain.storage, target.storage)) {
                target.rawBase.copyMemory(from: plain.rawBase, byteCount: plain.byteCount)
            }
        }
        if from == to {
            return withExtendedLifetime((storage, target.storage)) {
                target.rawBase.copyMemory(from: rawBase, byteCount: storedElementCount * 4)
            }
        }
        try Reorder.run(self, into: target, from: from, to: to)
    }

    /// The stored elements, padding included: what zero-preserving elementwise kernels run over.
    package var storedElementCount: Int {
        layout == .blocked ? Layout.blockedElementCount(shape) : elementCount
    }
}
