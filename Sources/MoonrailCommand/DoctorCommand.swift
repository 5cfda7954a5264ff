import ArgumentParser
import Basics
import Console
import Datasets
import LuaBindings
import LuaRuntime
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// `moonrail doctor`: what this machine offers, for a first look and for bug reports.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Shows versions, processor, memory and data sets; exit status 1 if something is missing.")

    func run() throws {
        var table = TextTable(["what", "found"])
        table.add(["moonrail", Toolkit.version])
        table.add(["Lua", try luaVersion()])
        table.add(["oneDNN", NumericLibraries.oneDNNVersion])
        table.add(["OpenBLAS", NumericLibraries.openBLASVersion])
        table.add(["threads", "\(Threads.count) of \(Threads.available) processors"])
        table.add(["channel block", channelBlock])
        table.add(["memory", memory])
        let hasData = access(FashionMNIST.packagedDirectory, R_OK) == 0
        table.add([
            "Fashion-MNIST",
            hasData ? FashionMNIST.packagedDirectory : "missing: sudo apt-get install dataset-fashion-mnist",
        ])
        print(table.render())
        if !hasData { throw ExitCode(1) }
    }

    private func luaVersion() throws -> String {
        let state = try LuaState()
        return try state.globals.rawGet("_VERSION").string ?? "unknown"
    }

    private var channelBlock: String {
        "\(Layout.channelBlock) channels (" + (Layout.channelBlock == 16 ? "AVX-512" : "AVX2 or less") + ")"
    }

    private var memory: String {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let all = sysconf(Int32(_SC_PHYS_PAGES)) * page
        let free = sysconf(Int32(_SC_AVPHYS_PAGES)) * page
        return "\(DecimalText.bytes(all)), \(DecimalText.bytes(free)) free; tensors may take "
            + DecimalText.bytes(MemoryLedger.limit)
    }
}
