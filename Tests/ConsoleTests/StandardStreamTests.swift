import Basics
import CommandTesting
import Glibc
import Testing

/// What the command does with standard streams that are closed, or that take nothing more, and with a small address
/// space.
@Suite struct StandardStreamTests {
    /// Runs the command by a shell, whose words `before` it and `behind` it set the streams up.
    private func run(
        _ arguments: [String], script: String = "", before: String = "", behind: String
    ) throws -> (status: Int32, errors: String, directory: String) {
        let directory = try temporaryDirectory()
        let path = try Script(script, in: directory).path
        let words = arguments.map { $0 == "SCRIPT" ? path : $0 }
        let outcome = try BuiltCommand.run(
            ["-c", "cd \"$1\"; command=$2; shift 2; \(before) \"$command\" \"$@\" \(behind)", "sh", directory, try BuiltCommand.path()] + words,
            program: "/bin/sh")
        return (outcome.status, outcome.errors, directory)
    }

    /// The first file that a script opens must not become its standard output.
    @Test(arguments: [">&-", "2>&-", "<&-", "<&- >&- 2>&-"]) func closedStreamsDoNotReachFiles(_ closed: String) throws {
        let script = """
            local file = io.open("data.txt", "w")
            file:write "data\\n"
            file:flush()
            print "printed"
            io.stderr:write "error text\\n"
            warn "@on" warn "warned"
            file:close()
            """
        let outcome = try run(["run", "--quiet", "SCRIPT"], script: script, behind: closed)
        defer { removeDirectory(outcome.directory) }
        #expect(outcome.status == 0)
        #expect(String(decoding: try AtomicFile.read(outcome.directory + "/data.txt"), as: UTF8.self) == "data\n")
    }

    /// `/dev/full` takes nothing, as a disk without room.
    @Test(arguments: [["--help"], ["--version"], ["lib"], ["lib", "fit"], ["run", "--help"], ["doctor"]])
    func outputThatIsLostIsAFailure(_ arguments: [String]) throws {
        let outcome = try run(arguments, behind: ">/dev/full")
        defer { removeDirectory(outcome.directory) }
        #expect(outcome.status == 1 && outcome.errors.contains("cannot write standard output"), "\(outcome)")
    }

    @Test func printRaisesWhatStandardOutputRefuses() throws {
        let script = "local ok, message = pcall(print, 'x')\nio.stderr:write(tostring(ok), ' ', tostring(message), '\\n')\nprint 'y'"
        let outcome = try run(["run", "--quiet", "SCRIPT"], script: script, behind: ">/dev/full")
        defer { removeDirectory(outcome.directory) }
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("false ") && outcome.errors.contains("No space left"), "\(outcome.errors)")
        #expect(outcome.errors.contains("recipe.lua:3"))
    }

    /// What `io.write` keeps until the end is lost at the end.
    @Test func bufferedOutputCountsToo() throws {
        let outcome = try run(["run", "--quiet", "SCRIPT"], script: "io.write 'x'", behind: ">/dev/full")
        defer { removeDirectory(outcome.directory) }
        #expect(outcome.status == 1 && outcome.errors.contains("cannot write standard output"), "\(outcome)")
    }

    @Test func theLimitOfAFilesSizeIsAnError() throws {
        let script = "print(pcall(require 'moonrail'.write_text, 'o.txt', ('x'):rep(1 << 20)))"
        let outcome = try run(["run", "--quiet", "SCRIPT"], script: script, before: "ulimit -f 64;", behind: ">out.txt")
        defer { removeDirectory(outcome.directory) }
        #expect(outcome.status == 0)
        let output = String(decoding: try AtomicFile.read(outcome.directory + "/out.txt"), as: UTF8.self)
        #expect(output.hasPrefix("false") && output.contains("File too large"), "\(output)")
        #expect(Set(DirectoryListing.entries(of: outcome.directory).map(\.name)) == ["recipe.lua", "out.txt"])
    }

    /// OpenBLAS would ask for its buffers for ever, from before the command's first line on.
    @Test(arguments: [200_000, 400_000, 600_000]) func aSmallAddressSpaceIsRefused(kibibytes: Int) throws {
        let outcome = try run(["--version"], before: "ulimit -v \(kibibytes);", behind: "")
        defer { removeDirectory(outcome.directory) }
        #expect(outcome.status == 1 && outcome.errors.contains("address space"), "\(outcome)")
    }

    /// libgomp would end the process, and OpenBLAS ask for its buffers for ever.
    @Test func threadsThatDoNotFitAreAnError() throws {
        let script = """
            local mr = require "moonrail"
            local before = mr.threads()
            print(pcall(mr.threads, 255))
            assert(mr.threads() == before)
            -- The most that there is room for also have it for their work.
            for count = 16, 1, -1 do if pcall(mr.threads, count) then break end end
            local q = mr.randn(300, 300):matmul(mr.randn(300, 300)):qr()
            print(q.shape[1])
            """
        let outcome = try run(["run", "--quiet", "SCRIPT"], script: script, before: "ulimit -v 1000000;", behind: ">out.txt")
        defer { removeDirectory(outcome.directory) }
        #expect(outcome.status == 0, "\(outcome)")
        let output = String(decoding: try AtomicFile.read(outcome.directory + "/out.txt"), as: UTF8.self)
        #expect(output.hasPrefix("false\t") && output.contains("no room for 255 threads") && output.hasSuffix("\n300\n"), "\(output)")
    }

    @Test func theOptionForThreadsThatDoNotFitIsAnErrorToo() throws {
        let outcome = try run(["run", "--threads", "255", "SCRIPT"], before: "ulimit -v 1500000;", behind: "")
        defer { removeDirectory(outcome.directory) }
        #expect(outcome.status == 1 && outcome.errors.contains("no room for 255 threads"), "\(outcome)")
    }
}
