import Basics
import Glibc
import LuaRuntime
import Testing

/// Which files functions of a host open for a script.
@Suite struct FileAccessTests {
    /// A directory with a file, a link out of it, and a link to nowhere; the script's `open` gives the path or refuses.
    private func state(sandboxed: Bool = true, _ allowed: (String) -> [String]?) throws -> (LuaState, String) {
        var template = Array("/tmp/moonrail-access-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } }
        let directory = try #require(made)
        mkdir(directory + "/inner", 0o700)
        fclose(fopen(directory + "/inner/file", "w"))
        symlink("/etc", directory + "/inner/out")
        symlink(directory + "/nowhere/else", directory + "/inner/dangling")
        let state = try LuaState(LuaOptions(isSandboxed: sandboxed, allowedPaths: allowed(directory + "/inner")))
        try state.globals.set("open", try state.function("open") { call in try call.path(1, "path") })
        try state.globals.set(
            "open_option",
            try state.function("open_option") { call in
                try call.options(1, known: ["file"]).path("file")
            })
        return (state, directory)
    }

    @Test func onlyWhatIsBelowAnAllowedPathOpens() throws {
        let (state, directory) = try state { [$0] }
        for inside in ["inner/file", "inner/new", "inner", "inner/../inner/file", "inner/./file", "inner/new/deeper"] {
            #expect(try state.run("return open('\(directory)/\(inside)')")[0].string == "\(directory)/\(inside)")
        }
        for outside in ["", "/file", "/inner2", "/inner/../file", "/inner/out/passwd", "/inner/out/new", "/inner/dangling", "/inner/new/../../x"] {
            let failure = #expect(throws: LuaFailure.self) { try state.run("open('\(directory)\(outside)')") }
            #expect(failure?.message.contains("open: argument 1 (path) must lie in \(directory)/inner, got") == true, "\(outside)")
        }
        #expect(throws: LuaFailure.self) { try state.run("open ''") }
        let failure = #expect(throws: LuaFailure.self) { try state.run("open_option { file = '/etc/passwd' }") }
        #expect(failure?.message.contains("option 'file' must lie in") == true)
    }

    @Test func aSandboxOpensNothingUnlessTold() throws {
        let (closed, directory) = try state { _ in nil }
        let failure = #expect(throws: LuaFailure.self) { try closed.run("open('\(directory)/inner/file')") }
        #expect(failure?.message.contains("names a file, and this host allows none") == true)
        let (open, other) = try state(sandboxed: false) { _ in nil }
        #expect(try open.run("return open('\(other)/inner/out/passwd')")[0].string?.hasSuffix("passwd") == true)
        let (root, _) = try state { _ in ["/"] }
        #expect(try root.run("return open '/etc/passwd'")[0].string == "/etc/passwd")
    }

    /// What a function of the host opens is held to the rule as well, whoever named it; outside of the call nothing is.
    @Test func whatAFunctionOpensByANameOfItsOwnIsCheckedToo() throws {
        let (state, directory) = try state { [$0] }
        try AtomicFile.write(directory + "/file", text: "outside")
        try AtomicFile.write(directory + "/inner/file", text: "inside")
        try state.globals.set(
            "beside",
            try state.function("beside") { call in
                try call.push(String(decoding: try AtomicFile.read(try call.path(1, "path") + "/" + (try call.string(2, "name"))), as: UTF8.self))
            })
        #expect(try state.run("return beside('\(directory)/inner', 'file')")[0].string == "inside")
        for name in ["../file", "out/passwd", "dangling"] {
            let failure = #expect(throws: LuaFailure.self) { try state.run("beside('\(directory)/inner', '\(name)')") }
            #expect(failure?.code == "file.cannotRead" && failure?.message.contains("does not lie in") == true, "\(name)")
        }
        #expect(try AtomicFile.read(directory + "/file") == Array("outside".utf8))
        // A state that runs inside of another's call has its own rule.
        let (inner, _) = try self.state(sandboxed: false) { _ in nil }
        try inner.globals.set(
            "read",
            try inner.function("read") { call in
                try call.push(try AtomicFile.read(directory + "/file").count)
            })
        try state.globals.set(
            "nested",
            try state.function("nested") { call in
                try call.push(try inner.run("return read()")[0].integer ?? 0)
            })
        #expect(try state.run("return nested()")[0].integer == 7)
    }
}
