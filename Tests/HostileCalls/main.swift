// Hostile calls of everything that scripts can call: HostileCalls SCRIPTS [--seed S] [--count N] [--from N] [--call N].
//
// SCRIPTS is the directory of calls.lua and the files beside it. Makes calls --from to --from + --count in child processes
// and prints a line for each that ends its process or does not come back, with the command that repeats it; --call makes
// one call, after those of its batch before it, and says what it gives. Exit status 1 where there was such a call.
import Basics
import Foundation

do {
    let settings = try Settings(Array(CommandLine.arguments.dropFirst()))
    if settings.isChild {
        try Child(settings).run()
    } else {
        exit(try Supervisor(settings).run())
    }
} catch {
    FileHandle.standardError.write(Data("HostileCalls: \(error)\n".utf8))
    exit(2)
}
