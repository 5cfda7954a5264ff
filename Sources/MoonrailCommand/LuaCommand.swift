import ArgumentParser

/// `moonrail lua …`
struct LuaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lua",
        abstract: "Is lua5.4 with the toolkit in it.",
        usage: "moonrail lua [-e STAT] [-l [NAME=]MODULE] [-i] [-v] [-E] [-W] [--] [FILE.lua … | -]",
        discussion: """
            Takes the options of Lua's own interpreter, has its rules for globals and its exit status, and finds the \
            module 'moonrail'. Under a name that begins with 'lua', such as that of a symbolic link to it, moonrail is \
            this command.

            EXAMPLES:
              moonrail lua -e 'print(require("moonrail").version)'
              moonrail lua -l mr=moonrail -i
              moonrail lua -W program.lua one two
            """)

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("Options of lua5.4, a script, and the script's own arguments.", valueName: "WORDS"))
    var words: [String] = []

    func validate() throws {
        if words.first == "--help" { throw CleanExit.helpRequest(Self.self) }
    }

    func run() throws { try Self.run(words) }

    /// - Throws: `ExitCode`.
    static func run(_ words: [String]) throws {
        guard try Interpreter(words).run() else { throw ExitCode(1) }
    }
}
