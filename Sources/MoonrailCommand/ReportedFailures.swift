import ArgumentParser
import Basics
import Console

/// Runs the body of a command; what it throws is one sentence on standard error.
/// - Throws: `ExitCode` 1 after an error, 130 after Ctrl-C.
func reportingFailures(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let status as ExitCode {
        throw status
    } catch is Interrupted {
        Terminal.standardError.write("interrupted\n")
        throw ExitCode(130)
    } catch {
        let errors = Terminal.standardError
        errors.write(ErrorReport(error).text(usesColor: errors.usesColor))
        throw ExitCode(1)
    }
}
