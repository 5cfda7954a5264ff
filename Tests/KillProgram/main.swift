// Processes that save files and are killed: KillProgram KINDS.LUA [--seed 1] [--count 1000] [--kill N] [--directory PATH].
//
// Every kill ends a process that saves one kind of file without end, at a moment drawn by the seed, and looks at each file
// that it wrote: it must be one of the versions, byte for byte. Half of the processes have no files without a name
// (O_TMPFILE), so that they leave their temporary ones, which the next save must remove. Prints a line for each file that
// is neither and the command that repeats the kill; exit status 1 where there was one.
import Basics
import Foundation

do {
    let settings = try Settings(Array(CommandLine.arguments.dropFirst()))
    let directory = "\(settings.directory)/moonrail-kills-\(getpid())"
    try AtomicFile.makeDirectory(directory)
    let result = Result { try Kills(settings, in: directory).run() }
    try? FileManager.default.removeItem(atPath: directory)
    exit(try result.get())
} catch {
    FileHandle.standardError.write(Data("KillProgram: \(error)\n".utf8))
    exit(2)
}
