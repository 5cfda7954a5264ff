import CKernels
import COneDNN
import COpenBLAS
import COpenBLASKernels

/// The versions of the libraries behind the kernels and the instruction sets they use, for people who look into a machine.
package enum NumericLibraries {
    package static var oneDNNVersion: String { String(cString: cod_version()) }

    /// The most that oneDNN uses, as `DNNL_MAX_CPU_ISA` spells it.
    package static var oneDNNInstructionSet: String { String(cString: cod_instruction_set()) }

    /// Version, processor kernels and threading, as the library words them.
    package static var openBLASVersion: String { String(cString: openblas_get_config()) }

    /// The processor whose kernels OpenBLAS chose, as `OPENBLAS_CORETYPE` spells it.
    package static var openBLASCore: String { String(cString: openblas_get_corename()) }

    /// The one that OpenBLAS chose by itself, where a better one stands in its place.
    package static var replacedOpenBLASCore: String? { cob_replaced_core().map { String(cString: $0) } }

    /// What our own loops use, as `MOONRAIL_MAX_CPU_ISA` spells it. Never more than oneDNN's, whose layouts they share.
    package static var ownInstructionSet: String { name(ck_instruction_set_in_use()) }

    /// All that `MOONRAIL_MAX_CPU_ISA` may be.
    package static var ownInstructionSets: [String] { [ck_baseline, ck_avx2, ck_avx512].map(name) }

    /// The value of `MOONRAIL_MAX_CPU_ISA` where it is none of them, and so limits nothing.
    package static var unknownLimit: String? { ck_unknown_limit().map { String(cString: $0) } }

    private static func name(_ set: ck_instruction_set) -> String { String(cString: ck_instruction_set_name(set)) }
}
