import ArgumentParser
import Basics
import Console
import Datasets
import KernelChecks
import LuaBindings
import LuaRuntime
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// `moonrail doctor`: what this machine offers and whether its kernels compute right, for a first look and for bug
/// reports.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: """
            Shows versions, processor, memory, data sets and kernels, which it holds against what defines them; exit status 1 \
            if something is missing or a kernel is wrong.
            """)

    func run() throws {
        print(try machine().render() + "\n")
        let checks = KernelCheck.all()
        print(Self.table(of: checks).render())

        let complaints = complaints(about: checks)
        for complaint in complaints { Terminal.standardError.write("moonrail: \(complaint)\n") }
        if !complaints.isEmpty { throw ExitCode(1) }
    }

    private func machine() throws -> TextTable {
        var table = TextTable(["what", "found"])
        table.add(["moonrail", Toolkit.version])
        table.add(["Lua", try luaVersion()])
        table.add(["oneDNN", NumericLibraries.oneDNNVersion])
        table.add(["its kernels", limited(NumericLibraries.oneDNNInstructionSet, by: ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])])
        table.add(["OpenBLAS", NumericLibraries.openBLASVersion])
        let replaced = NumericLibraries.replacedOpenBLASCore.map { ", in the place of \($0), which it would choose itself" } ?? ""
        table.add(["its kernels", limited(NumericLibraries.openBLASCore, by: ["OPENBLAS_CORETYPE"]) + replaced])
        table.add([
            "own kernels",
            limited(
                NumericLibraries.ownInstructionSet, by: ["MOONRAIL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"]),
        ])
        table.add(["threads", "\(Threads.count) of \(Threads.available) processors"])
        table.add(["idle threads", IdleThreads.setting])
        table.add(["channel block", "\(Layout.channelBlock) channels"])
        table.add(["memory", memory])
        table.add(["Fashion-MNIST", hasData ? FashionMNIST.packagedDirectory : "missing"])
        return table
    }

    private static func table(of checks: [KernelCheck]) -> TextTable {
        var table = TextTable(["check", "kernel", "error", "allowed", "verdict"])
        for check in checks {
            table.add([
                check.name, check.kernel, Self.short(check.error), Self.short(check.tolerance), check.isRight ? "ok" : "WRONG",
            ])
        }
        return table
    }

    /// What is amiss, a sentence each.
    private func complaints(about checks: [KernelCheck]) -> [String] {
        var sentences: [String] = []
        if !hasData { sentences.append("Fashion-MNIST is missing: sudo apt-get install dataset-fashion-mnist") }
        if let unknown = NumericLibraries.unknownLimit {
            let all = NumericLibraries.ownInstructionSets.joined(separator: ", ")
            sentences.append("MOONRAIL_MAX_CPU_ISA is '\(unknown)', which limits nothing; there are \(all)")
        }
        for check in checks where !check.isRight {
            sentences.append("\(check.name) is wrong" + (check.failure.map { ": \($0)" } ?? " by \(check.kernel)"))
        }
        if checks.contains(where: { !$0.isRight }) {
            sentences.append(
                "results on this processor cannot be trusted; DNNL_MAX_CPU_ISA=AVX2 or OPENBLAS_CORETYPE=Haswell may choose "
                    + "kernels that are right")
        }
        return sentences
    }

    /// An error with two digits: `1.3e-7`.
    private static func short(_ error: Double) -> String {
        guard error > 0, error.isFinite else { return DecimalText.fixed(error, 0) }
        let exponent = Int(log10(error).rounded(.down))
        return DecimalText.fixed(error / pow(10, Double(exponent)), 1) + "e\(exponent)"
    }

    private func limited(_ kernels: String, by variables: [String]) -> String {
        let set = variables.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
        return set.isEmpty ? kernels : "\(kernels), limited by \(set.joined(separator: ", "))"
    }

    private var hasData: Bool { access(FashionMNIST.packagedDirectory, R_OK) == 0 }

    private func luaVersion() throws -> String {
        let state = try LuaState()
        return try state.globals.rawGet("_VERSION").string ?? "unknown"
    }

    private var memory: String {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let all = sysconf(Int32(_SC_PHYS_PAGES)) * page
        let free = sysconf(Int32(_SC_AVPHYS_PAGES)) * page
        return "\(DecimalText.bytes(all)), \(DecimalText.bytes(free)) free; tensors may take "
            + DecimalText.bytes(MemoryLedger.limit)
    }
}
