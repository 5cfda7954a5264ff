import ArgumentParser
import Basics
import LuaRuntime

/// The limits of a script that its owner does not know.
struct CageOptions: ParsableArguments {
    @Flag(help: "Confines the script: no processes, no files but those below --allow, no compiled chunks.")
    var sandbox = false

    @Option(help: ArgumentHelp("A folder or file that a script in the sandbox may use; may be repeated.", valueName: "PATH"))
    var allow: [String] = []

    @Option(help: ArgumentHelp("The most memory of the script and its tensors, such as 512M.", valueName: "SIZE"))
    var memory: String?

    @Option(help: ArgumentHelp("The most instructions that the script may run.", valueName: "N"))
    var instructions: Int?

    @Option(help: ArgumentHelp("The most seconds that the script may take.", valueName: "S"))
    var seconds: Double?

    func validate() throws {
        guard sandbox || allow.isEmpty else { throw ValidationError("--allow is for a script in the --sandbox.") }
        if let memory, Self.byteCount(memory) == nil {
            throw ValidationError("--memory takes a number of bytes, which may end in K, M or G, such as 512M; got '\(memory)'.")
        }
        if let instructions, instructions < 1 {
            throw ValidationError("--instructions must be at least 1, got \(instructions).")
        }
        if let seconds, !(seconds > 0 && seconds <= 1e9) {
            throw ValidationError("--seconds must be above 0, got \(seconds).")
        }
    }

    /// `options` with these limits.
    func limiting(_ options: LuaOptions) -> LuaOptions {
        var options = options
        options.isSandboxed = sandbox
        if sandbox { options.allowedPaths = allow }
        options.memoryLimit = memory.flatMap(Self.byteCount)
        options.instructionLimit = instructions
        options.timeLimit = seconds
        return options
    }

    /// `512M` as bytes.
    static func byteCount(_ text: String) -> Int? {
        let factors: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        let factor = text.uppercased().last.flatMap { factors[$0] }
        guard let number = Int(factor == nil ? text : String(text.dropLast())), number > 0 else { return nil }
        let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: factor ?? 1)
        return isTooLarge ? nil : bytes
    }
}
