import Basics

/// The words of the command line, whatever their bytes.
enum CommandArguments {
    /// The name of the program and what follows.
    static var all: [String] {
        (0..<Int(CommandLine.argc)).compactMap { CommandLine.unsafeArgv[$0].map { String(foreignCString: $0) } }
    }

    /// What the command takes. Under a name that begins with `lua`, the program is `moonrail lua`.
    static var words: [String] {
        let rest = Array(all.dropFirst())
        return isInterpreter ? ["lua"] + rest : rest
    }

    static var isInterpreter: Bool { DirectoryListing.split(all.first ?? "").name.hasPrefix("lua") }
}
