package import COneDNN

/// A primitive of oneDNN or of our own: created once for its shapes, cached, executed on the tensors of the moment.
///
/// It never changes after it was made, and its execution keeps what it writes to itself, so threads may share it.
package final class Primitive: @unchecked Sendable {
    package let handle: OpaquePointer
    private let operation: String

    /// - Parameter make: gives the handle, with the number of threads that the primitive will run on set.
    /// - Throws: `kernel` with oneDNN's reason.
    package init(_ operation: String, _ make: () -> OpaquePointer?) throws {
        Threads.prepareLibraries()
        guard let handle = make() else {
            throw TensorFailure.kernel(operation: operation, reason: String(cString: cod_last_error()))
        }
        self.handle = handle
        self.operation = operation
    }

    deinit { cod_primitive_destroy(handle) }

    /// The implementation oneDNN chose, such as `jit:avx512_core`; one that begins with `ref` is a slow path.
    package var implementation: String { String(cString: cod_primitive_implementation(handle)) }

    package func format(of argument: cod_argument) -> ActivationFormat {
        ActivationFormat(cod_primitive_format(handle, argument))
    }

    package func byteCount(of argument: cod_argument) -> Int { cod_primitive_bytes(handle, argument) }

    /// Weights in the order this primitive reads: the plain tensor itself, or a packed copy.
    package func packed(_ weights: Tensor, as argument: cod_argument) throws -> Storage {
        let plain = try weights.contiguous()
        if cod_primitive_needs_packing(handle, argument) == 0, plain.rawBase == plain.storage.pointer {
            return plain.storage
        }
        let result = try Storage(byteCount: byteCount(of: argument))
        Threads.prepareLibraries()
        try withExtendedLifetime((plain.storage, result)) {
            try check(cod_primitive_pack(handle, argument, plain.base(Float.self), result.pointer))
        }
        return result
    }

    /// A gradient of weights back in plain order.
    package func unpacked(_ packed: Storage, as argument: cod_argument, shape: Shape) throws -> Tensor {
        let result = try Tensor(uninitialized: shape)
        Threads.prepareLibraries()
        try withExtendedLifetime((packed, result.storage)) {
            try check(cod_primitive_unpack(handle, argument, packed.pointer, result.base(Float.self)))
        }
        return result
    }

    /// Runs on `arguments`, whose storages must have the primitive's formats.
    package func execute(_ arguments: [(cod_argument, UnsafeMutableRawPointer)]) throws {
        let scratchBytes = cod_primitive_scratch_bytes(handle)
        let scratch = scratchBytes > 0 ? try Storage(byteCount: scratchBytes) : nil
        try withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: Int(cod_argument_count.rawValue)) {
            pointers in
            pointers.initialize(repeating: nil)
            for (argument, pointer) in arguments { pointers[Int(argument.rawValue)] = pointer }
            Threads.prepareLibraries()
            let status = cod_primitive_execute(handle, pointers.baseAddress!, scratch?.pointer)
            try withExtendedLifetime(scratch) { try check(status) }
        }
    }

    private func check(_ status: Int32) throws {
        guard status == 0 else {
            throw TensorFailure.kernel(operation: operation, reason: String(cString: cod_last_error()))
        }
    }
}
