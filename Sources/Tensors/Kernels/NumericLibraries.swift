import COneDNN
import COpenBLAS

/// The versions of the libraries behind the kernels, for people who look into a machine.
package enum NumericLibraries {
    package static var oneDNNVersion: String { String(cString: cod_version()) }

    /// Version, processor kernels and threading, as the library words them.
    package static var openBLASVersion: String { String(cString: openblas_get_config()) }
}
