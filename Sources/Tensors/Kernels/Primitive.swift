package import COneDNN

/// A primitive of oneDNN or of our own: created once for its shapes, cached, executed on the tensors of the moment.
package final class Primitive {
    package let handle: OpaquePointer
    private let operation: String

    /// - Throws: `kernel` with oneDNN's reason.
    package init(_ operation: String, _ handle: OpaquePointer?) throws {
        guard let handle else {
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
        try withExtendedLifetime((plain.storage, result)) {
            try check(cod_primitive_pack(handle, argument, plain.base(Float.self), result.pointer))
        }
        return result
    }

    /// A gradient of weights back in plain order.
    package func unpacked(_ packed: Storage, as argument: cod_argument, shape: Shape) throws -> Tensor {
        let result = try Tensor(uninitialized: shape)
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

/// Primitives by what they were made for. Belongs to the thread that runs kernels.
///
/// A handful of nets at a few batch sizes need a few hundred entries; a script that tries thousands of shapes makes
/// the cache start anew instead of growing without bound.
package struct PrimitiveCache<Key: Hashable> {
    /// oneDNN settles how work is split when a primitive is made, so another thread count needs others.
    private struct Entry: Hashable {
        let key: Key
        let threadCount: Int
    }

    private var entries: [Entry: Primitive] = [:]
    private let limit = 1024

    package init() {}

    package mutating func primitive(for key: Key, make: (Key) throws -> Primitive) throws -> Primitive {
        let entry = Entry(key: key, threadCount: Threads.count)
        if let found = entries[entry] { return found }
        if entries.count >= limit { entries.removeAll() }
        let made = try make(key)
        entries[entry] = made
        return made
    }
}
