import COneDNN
import Synchronization

/// The processor's notes of invalid operations, which cost nothing to make: x86 notes it whenever a not-a-number comes out
/// of numbers, and whenever a maximum, a minimum or an ordered comparison, so a ReLU, meets one.
///
/// - Reference: Intel, *64 and IA-32 Architectures Software Developer's Manual*, volume 1, §4.9.1.1 and §11.5.2.1.
package enum InvalidOperations {
    /// Forgets what this thread noted, which may be of other work than a kernel's.
    package static func forgetOwn() { _ = cod_take_invalid() }

    /// Whether any of the kernels' threads noted one since the last question. A note may be older than the kernel that one
    /// has in mind, and a kernel that reads memory it does not use may make one; so it is a reason to look, not a proof.
    package static func take() -> Bool {
        let found = Atomic<Bool>(false)
        parallelFor(Threads.count, grain: 1) { range in
            for _ in range where cod_take_invalid() != 0 { found.store(true, ordering: .relaxed) }
        }
        return found.load(ordering: .relaxed)
    }
}
