import Basics
import Testing

@Suite(.serialized) struct StandardLibraryTests {
    @Test func optionsOfARecipeHaveTheTypesOfTheirDefaults() throws {
        try run(
            """
            local args = mr.args { keep = 0.5, epochs = 1, out = "x", tune = true, quick = false }
            assert(args.keep == 0.3 and math.type(args.epochs) == "integer" and args.epochs == 4)
            assert(args.out == "dir" and args.tune == false and args.quick == true)
            """, arguments: ["--keep", "0.3", "--epochs=4", "--out", "dir", "--tune", "false", "--quick"])
    }

    static let wrong: [([String], String)] = [
        (["--kep", "1"], "unknown option --kep (did you mean --keep?)"),
        (["--keep", "much"], "option --keep must be a number, got 'much'"),
        (["--epochs", "1.5"], "must be a whole number"),
        (["--keep"], "needs a value"),
        (["keep"], "unexpected argument 'keep'"),
    ]

    @Test(arguments: wrong) func wrongOptionsAreNamed(_ arguments: [String], _ expected: String) {
        let got = message(of: "mr.args { keep = 0.5, epochs = 1 }", arguments: arguments)
        #expect(got.contains(expected), "\(got)")
    }

    @Test func rowsPrintInColumns() throws {
        let text = try run("""
            print(mr.rows({ { name = "a", value = 1.5 }, { name = "long name", value = 20 } }, { { "name", "name" }, { "value", "value" } }))
            """)
        #expect(text == "name       value\n─────────  ─────\na            1.5\nlong name     20\n")
    }

    @Test func jsonGoesOutAndIn() throws {
        let path = "/tmp/moonrail-json-\(UInt64.random(in: 0 ... .max)).json"
        try run("""
            mr.write_json("\(path)", { plans = { { keep = 0.5 }, { keep = 0.25 } }, name = "x", ok = true })
            local back = mr.read_json("\(path)")
            assert(back.plans[2].keep == 0.25 and back.name == "x" and back.ok == true)
            """)
        #expect(message(of: "mr.write_json('\(path)', { f = print })").contains("a function has no JSON form"))
        #expect(message(of: "mr.write_json('\(path)', { v = 0 / 0 })").contains("no JSON form"))
    }

    @Test func theModuleMakesNoGlobals() throws {
        try run("for name in pairs(_G) do assert(name ~= 'mr' and name ~= 'moonrail', name) end")
    }
}
