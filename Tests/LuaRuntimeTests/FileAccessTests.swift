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
        try state.globals.set("open_option", try state.function("open_option") { call in
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
}
