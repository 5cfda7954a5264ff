import ArgumentParser
import Console

/// The options that `run` and `repl` share.
struct SessionOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "No progress bars.")
    var quiet = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Threads that kernels use.", valueName: "N"))
    var threads: Int?

    /// The threads asked for by the option or the environment; `nil` for all processors.
    var threadCount: Int? { threads ?? Terminal.environment("MOONRAIL_THREADS").flatMap { Int($0) } }

    func validate() throws {
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads must be between 1 and 256, got \(threads).")
        }
        guard threads == nil, let text = Terminal.environment("MOONRAIL_THREADS") else { return }
        guard let count = Int(text), (1...256).contains(count) else {
            throw ValidationError("MOONRAIL_THREADS must be a number between 1 and 256, got '\(text)'.")
        }
    }
}
