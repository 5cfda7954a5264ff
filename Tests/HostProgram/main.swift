// A program that lets its users script it: an interpreter with the toolkit, a function and a type of its own, limits, and
// output that it keeps. The README shows it, and a test runs it.
import LuaBindings
import LuaRuntime

/// What scripts may work on: an object of the host.
final class Album: LuaObjectConvertible {
    var pictures: [String] = []
}

/// An interpreter for one user's script, confined to a directory.
func interpreter(directory: String, show: @escaping (String) -> Void) throws -> LuaState {
    let state = try LuaState(
        LuaOptions(
            isSandboxed: true, memoryLimit: 256 << 20, instructionLimit: 50_000_000, allowedPaths: [directory],
            globals: .declaredByWriting, output: show))
    try Toolkit.install(in: state)
    try state.register(
        LuaClass<Album>("Album") { members in
            members.length { $0.pictures.count }
            members.method("add") { call, album in album.pictures.append(try call.string(1, "name")) }
            members.text { "Album of \($0.pictures.count) pictures" }
        })
    try state.globals.set("shout", try state.function("shout") { call in try call.string(1, "text").uppercased() })
    return state
}

let directory = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "."
var shown = ""
let first = try interpreter(directory: directory) { shown += "first: " + $0 }
let second = try interpreter(directory: directory) { shown += "second: " + $0 }

let album = Album()
try first.globals.set("album", album)
try first.run(
    """
    local mr = require "moonrail"
    album:add(shout "sunrise")
    local model = mr.zoo.mlp { hidden = { 8 }, image = { 1, 4, 4 }, classes = 2, seed = 1 }
    model:save(DIRECTORY .. "/model.safetensors")
    print(album, #album, model.cost.params)
    """.replacing("DIRECTORY", with: "\"\(directory)\""), name: "user.lua")
try second.run("print(rawget(_G, 'album'), require('moonrail').seed(7))", name: "other.lua")

// What a script must not do is an error, and the host goes on.
for attempt in [
    "require('moonrail').load('/etc/passwd')", "while true do end", "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end",
    "io.open('x')",
] {
    do {
        try second.run(attempt, name: "attempt.lua")
    } catch let failure as LuaFailure {
        shown += "refused: \(failure.code)\n"
    }
}
print(album.pictures, shown, separator: "\n", terminator: "")
