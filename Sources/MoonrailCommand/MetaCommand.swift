import ArgumentParser
import Basics
import LuaBindings
import LuaRuntime

/// `moonrail meta DIR`
struct MetaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meta",
        abstract: "Writes the API's description for editors.",
        discussion: """
            The files are ---@meta files of lua-language-server; name their directory in its setting workspace.library.
            LuaReference.md is the same to read.

            EXAMPLES:
              moonrail meta types
            """)

    @Argument(help: ArgumentHelp("The directory, made where it is missing.", valueName: "DIR"))
    var directory: String

    func run() throws {
        try reportingFailures {
            try AtomicFile.makeDirectory(directory)
            let state = try LuaState()
            try Toolkit.install(in: state)
            for (name, text) in Toolkit.metaFiles + [("LuaReference.md", try Toolkit.reference(in: state))] {
                try AtomicFile.write("\(directory)/\(name)", text: text)
                print("\(directory)/\(name)")
            }
        }
    }
}
