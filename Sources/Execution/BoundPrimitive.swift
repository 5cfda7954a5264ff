import COneDNN
import Tensors

/// A bound primitive and what it points into.
final class BoundPrimitive {
    private let handle: OpaquePointer
    private let kept: [Storage]

    /// - Parameter arguments: an address may be missing until `rebind` gives it.
    init(
        _ primitive: Primitive, _ arguments: [(cod_argument, UnsafeMutableRawPointer?)], scratch: Storage?,
        keeping: [Storage]
    ) throws {
        var pointers = [UnsafeMutableRawPointer?](repeating: nil, count: Int(cod_argument_count.rawValue))
        for (argument, pointer) in arguments { pointers[Int(argument.rawValue)] = pointer }
        guard let handle = cod_step_create(primitive.handle, pointers, scratch?.pointer) else {
            throw TensorFailure.kernel(operation: primitive.implementation, reason: String(cString: cod_last_error()))
        }
        self.handle = handle
        kept = keeping
    }

    deinit { cod_step_destroy(handle) }

    func rebind(_ argument: cod_argument, to pointer: UnsafeMutableRawPointer) {
        cod_step_rebind(handle, argument, pointer)
    }

    func run() throws {
        Threads.prepareLibraries()
        guard cod_step_run(handle) == 0 else {
            throw TensorFailure.kernel(operation: "program", reason: String(cString: cod_last_error()))
        }
    }
}

/// Where a program's input or result lies outside of it: another address for each run.
final class Port {
    private var users: [(primitive: BoundPrimitive, argument: cod_argument)] = []
    private var pointer: UnsafeMutableRawPointer?

    func attach(_ primitive: BoundPrimitive, _ argument: cod_argument) { users.append((primitive, argument)) }

    func open(at pointer: UnsafeMutableRawPointer) {
        self.pointer = pointer
        for user in users { user.primitive.rebind(user.argument, to: pointer) }
    }

    /// Copies in or out, for values that no primitive moves.
    func copy(_ byteCount: Int, to target: UnsafeMutableRawPointer) {
        if let pointer { target.copyMemory(from: pointer, byteCount: byteCount) }
    }

    func copy(_ byteCount: Int, from source: UnsafeMutableRawPointer) {
        pointer?.copyMemory(from: source, byteCount: byteCount)
    }
}
