import Basics
import CommandTesting
import LuaBindings
import Testing

/// `lib` and `meta`.
@Suite(.serialized) struct LibraryTests {
    @Test func modulesAreListedAndPrinted() throws {
        let list = try BuiltCommand.run(["lib"])
        #expect(list.status == 0 && list.output.contains("fit") && list.output.contains("the training loop"))
        let fit = try BuiltCommand.run(["lib", "fit"])
        #expect(fit.output == Toolkit.librarySources.first { $0.name == "moonrail.fit" }?.source)
        let wrong = try BuiltCommand.run(["lib", "fti"])
        #expect(wrong.status == 2 && wrong.errors.contains("no module 'fti'"))
    }

    @Test func theDescriptionIsWritten() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        #expect(try BuiltCommand.run(["meta", directory]).status == 0)
        for (name, text) in Toolkit.metaFiles {
            #expect(try AtomicFile.read(directory + "/" + name) == Array(text.utf8) && text.hasPrefix("---@meta"), "\(name)")
        }
        // The documentation's copy: after a change, moonrail meta writes it anew.
        let reference = try AtomicFile.read(directory + "/LuaReference.md")
        #expect(try AtomicFile.read(Repository.root + "/Sources/Moonrail/Moonrail.docc/LuaReference.md") == reference)
        #expect(try BuiltCommand.run(["meta", "/dev/null/x"]).status == 1)
    }
}
