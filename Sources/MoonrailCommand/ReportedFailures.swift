import ArgumentParser
import Basics
import Console
import LuaRuntime

/// Runs the body of a command; what it throws is one sentence on standard error, for a script's error with its place.
/// - Parameter progress: whose bar makes room for that sentence.
/// - Throws: `ExitCode` 1 after an error, 130 after Ctrl-C.
func reportingFailures(_ progress: ConsoleProgress? = nil, _ body: () throws -> Void) throws {
    do {
        try body()
    } catch let status as ExitCode {
        throw status
    } catch {
        progress?.makeRoom()
        let errors = Terminal.standardError
        if (error as? LuaFailure)?.isInterrupted ?? (error is Interrupted) {
            InterruptSignal.hasBeenHeeded()
            errors.write("interrupted\n")
            throw ExitCode(130)
        }
        errors.write(ErrorReport(error).placed.text(usesColor: errors.usesColor))
        throw ExitCode(1)
    }
}
