import ArgumentParser
import Basics
import Console
import LuaRuntime

/// `moonrail run FILE.lua …`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a Lua script.",
        usage: """
            moonrail run [--quiet] [--threads N] (FILE.lua | -) [--name value …]
            moonrail run --sandbox [--allow PATH]… [--memory SIZE] [--instructions N] [--seconds S] [--threads N] FILE.lua …
            """,
        discussion: """
            What follows FILE.lua goes to the script as it is, in the global table 'arg'; '-' is the script on standard \
            input. A global that nothing declared is an error in the script, but not in modules that it requires; \
            'local _ENV = _G' at its beginning gives it Lua's own rule.

            EXAMPLES:
              moonrail run halve.lua --keep 0.5
              moonrail run --threads 1 halve.lua
              moonrail run --sandbox --allow models --memory 512M --seconds 60 from_somebody.lua

            Ctrl-C stops the script, within half a second whatever it does; pressed again, it ends the process at once. \
            The exit status is 0, 1 after an error, 2 for a wrong command line and 130 after Ctrl-C.
            """)

    @OptionGroup var options: SessionOptions
    @OptionGroup(title: "Limits") var cage: CageOptions

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The script, then its own options.", valueName: "FILE.lua …"))
    var words: [String] = []

    /// The script and its arguments, without a `--` that ended the options of `run`.
    private var script: ArraySlice<String> { words.first == "--" ? words.dropFirst() : words[...] }

    func validate() throws {
        guard let path = script.first else { throw ValidationError("Which script?") }
        // What follows is passed through, so `run` has to look for its own help.
        if words.first == "--help" || words.first == "-h" { throw CleanExit.helpRequest(Self.self) }
        if words.first != "--", path.hasPrefix("-"), path != "-" {
            throw ValidationError("Unknown option '\(path)' of run; options of the script follow its file.")
        }
    }

    func run() throws {
        let session = try CommandState(options, cage: cage)
        InterruptSignal.stopsWorkThenProcess()
        try session.run(script.first ?? "", arguments: Array(script.dropFirst()))
    }
}
