import ArgumentParser
import Basics
import LuaBindings

/// `moonrail lib [NAME]`
struct LibraryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lib",
        abstract: "Shows the part of the toolkit that is written in Lua.",
        discussion: """
            Without a name, lists the modules with what they are for; with one, prints that module's source.

            EXAMPLES:
              moonrail lib
              moonrail lib fit > my_fit.lua
            """)

    @Argument(help: ArgumentHelp("A module, such as fit.", valueName: "NAME"))
    var name: String?

    func run() throws {
        guard let name else { return print(overview) }
        let names = Toolkit.librarySources.map { shortName($0.name) }
        guard let found = Toolkit.librarySources.first(where: { $0.name == name || shortName($0.name) == name }) else {
            let near = didYouMean(nearestName(to: name, among: names))
            throw ValidationError("The library has no module '\(name)'\(near); it has \(names.joined(separator: ", ")).")
        }
        print(found.source, terminator: "")
    }

    private func shortName(_ module: String) -> String {
        module.hasPrefix("moonrail.") ? String(module.dropFirst("moonrail.".count)) : module
    }

    /// Each module with the comment that it begins with.
    private var overview: String {
        var table = TextTable(["module", "what it is for"])
        for (name, source) in Toolkit.librarySources {
            let first = source.split(separator: "\n").first ?? ""
            table.add([shortName(name), String(first.drop { $0 == "-" || $0 == " " })])
        }
        return table.render()
    }
}
