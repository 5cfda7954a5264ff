import Basics
import CommandTesting
import Glibc
import Testing

/// `moonrail lua`, and scripts with the bytes, names and surroundings that Lua's own interpreter takes.
@Suite struct InterpreterTests {
    private func lua(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws -> BuiltCommand.Outcome {
        try BuiltCommand.run(["lua"] + arguments, input: input, environment: environment)
    }

    private func withScript(
        _ bytes: [UInt8], name: String = "script.lua", _ body: (String) throws -> Void
    ) throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let path = directory + "/" + name
        try AtomicFile.write(path, bytes: bytes)
        try body(path)
        _ = path.withForeignCString { unlink($0) }
    }

    @Test(arguments: [
        (["-e", "print(1)"], "1\n"), (["-eprint(1)", "-e", "print(2)"], "1\n2\n"), (["-l", "str=string", "-e", "print(str.rep('a', 3))"], "aaa\n"),
        (["-lmath", "-e", "print(math.pi > 3)"], "true\n"), (["-e", "x = 1", "-e", "print(x, y)"], "1\tnil\n"),
        (["-e", "print(require 'moonrail'.version ~= nil)"], "true\n"), (["-v", "-e", "print(5)"], "Lua 5.4.4  Copyright (C) 1994-2022 Lua.org, PUC-Rio\n5\n"),
    ])
    func optionsAreThoseOfLua(arguments: [String], output: String) throws {
        let outcome = try lua(arguments)
        #expect(outcome.output == output && outcome.status == 0, "\(outcome.errors)")
    }

    @Test(arguments: [
        (["-x"], "unrecognized option '-x'"), (["---"], "unrecognized option '---'"), (["-vv"], "unrecognized option '-vv'"),
        (["-h"], "unrecognized option '-h'"),
        (["-e"], "'-e' needs argument"), (["-l", "-i"], "'-l' needs argument"), (["-e", "a"], "(command line):1: syntax error near <eof>"),
        (["-l", "no.such.module"], "module 'no.such.module' not found"), (["/no/such.lua"], "cannot open /no/such.lua"),
        (["-e", "error('boom')"], "lua: (command line):1: boom\nstack traceback:"), (["-e", "error({})"], "lua: (error object is a table value)"),
    ])
    func mistakesEndWithStatusOne(arguments: [String], message: String) throws {
        let outcome = try lua(arguments)
        #expect(outcome.status == 1 && outcome.errors.contains(message), "\(outcome.errors)")
    }

    @Test func argumentsStandAroundTheScript() throws {
        try withScript(Array("print(arg[-1], arg[0] ~= nil, arg[1], #arg, ...)".utf8)) { path in
            let optioned = try lua(["-e", "x = 1", path, "a", "-b"])
            #expect(optioned.output == "x = 1\ttrue\ta\t2\ta\t-b\n")
            let dashed = try lua(["--", path, "a"])
            #expect(dashed.output == "--\ttrue\ta\t1\ta\n")
            let plain = try BuiltCommand.run(["run", path, "a"])
            #expect(plain.output == "run\ttrue\ta\t1\ta\n")
        }
    }

    @Test func standardInputIsAScript() throws {
        for arguments in [["lua", "-"], ["lua"], ["run", "-"]] {
            let outcome = try BuiltCommand.run(arguments, input: "print('in', ...)")
            #expect(outcome.output == "in\n")
        }
        #expect(try BuiltCommand.run(["run", "-", "a"], input: "#!/first line\nprint(..., debug.getinfo(1).currentline)").output == "a\t2\n")
        #expect(try BuiltCommand.run(["run", "-"], input: "error 'boom'").errors.contains("stdin:1: boom"))
        #expect(try BuiltCommand.run(["run", "-"], input: "\nprint(prnt)").errors.contains("stdin:2: unknown global 'prnt'"))
        #expect(
            try lua(["-i"], input: "x = 4\n= x\nx + 1\nif x then\nprint 'y' end\n").output
                == "Lua 5.4.4  Copyright (C) 1994-2022 Lua.org, PUC-Rio\n> x = 4\n> = x\n4\n> x + 1\n5\n> if x then\n>> print 'y' end\ny\n> \n")
    }

    @Test(arguments: ["run", "lua"]) func filesKeepTheirBytes(command: String) throws {
        let literal: [UInt8] = [0x61, 0x62, 0xE3, 0x64]
        try withScript(Array("print(#'".utf8) + literal + Array("', '".utf8) + literal + Array("') io.write(arg[1], '\\n')".utf8)) { path in
            let outcome = try BuiltCommand.run([command, path, String(foreignBytes: [0x78, 0xFF])])
            #expect(outcome.output.foreignBytes == Array("4\t".utf8) + literal + [0x0A, 0x78, 0xFF, 0x0A], "\(outcome.errors)")
        }
        // A byte-order mark, a line for the shell, a name that is not UTF-8, an error that shows such bytes.
        try withScript([0xEF, 0xBB, 0xBF] + Array("#!/bin/lua\nerror('x\\xFFy')".utf8), name: String(foreignBytes: [0x6E, 0xE3])) { path in
            let outcome = try BuiltCommand.run([command, path])
            #expect(outcome.status == 1 && outcome.errors.foreignBytes.contains(0xE3))
            #expect(outcome.errors.contains(String(foreignBytes: Array(":2: x".utf8) + [0xFF, 0x79])), "\(outcome.errors)")
        }
    }

    @Test func compiledChunksRun() throws {
        try withScript([]) { path in
            let dumped = try lua(["-e", "io.open([[\(path)]], 'wb'):write(string.dump(load 'print(40 + 2)')):close()"])
            #expect(dumped.status == 0)
            let outcome = try BuiltCommand.run(["run", path])
            #expect(outcome.output == "42\n")
        }
    }

    @Test(arguments: ["run", "lua"]) func theEnvironmentIsLuas(command: String) throws {
        try withScript(Array("print(started, package.path, package.cpath)".utf8)) { path in
            let environment = ["LUA_INIT_5_4": "started = 7", "LUA_INIT": "error()", "LUA_PATH_5_4": "p/?.lua", "LUA_CPATH_5_4": "c/?.so"]
            // The folder of the script comes first for `run`.
            let found = try BuiltCommand.run([command, path], environment: environment)
            #expect(found.output.hasPrefix("7\t") && found.output.hasSuffix("p/?.lua\tc/?.so\n"), "\(found.output)\(found.errors)")
            let broken = try BuiltCommand.run([command, path], environment: ["LUA_INIT": "error('early', 0)"])
            #expect(broken.status == 1 && broken.errors.contains("early") && broken.output.isEmpty)
        }
        try withScript(Array("fromFile = 1".utf8)) { path in
            let outcome = try lua(["-e", "print(fromFile)"], environment: ["LUA_INIT": "@" + path])
            #expect(outcome.output == "1\n")
            let ignoring = try lua(["-E", "-e", "print(fromFile)"], environment: ["LUA_INIT": "@" + path])
            #expect(ignoring.output == "nil\n")
        }
    }

    @Test func warningsAreOffUntilAskedFor() throws {
        #expect(try lua(["-e", "warn 'w'"]).errors == "")
        #expect(try lua(["-W", "-e", "warn 'w'"]).errors == "Lua warning: w\n")
    }

    @Test func underLuasNameItIsLua() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let link = directory + "/lua5.4"
        #expect(symlink(try BuiltCommand.path(), link) == 0)
        #expect(try BuiltCommand.run(["-e", "print(arg[0] == '\(link)')"], program: link).status == 0)
        #expect(try BuiltCommand.run(["-x"], program: link).errors.hasPrefix(link + ": unrecognized option"))
    }
}
