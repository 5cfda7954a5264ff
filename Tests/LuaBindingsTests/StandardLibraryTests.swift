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

    @Test func optionsOfARecipeSayMoreInATable() throws {
        try run(
            """
            local args = mr.args { keep = { 0.7, 0.5 }, names = { "a" }, policy = { default = "lwiq", help = "how", choices = { "lwiq", "uniform" } } }
            assert(#args.keep == 3 and args.keep[3] == 0.1 and args.names[2] == "c" and args.policy == "uniform")
            """, arguments: ["--keep", "0.3,0.2,0.1", "--names=b,c", "--policy", "uniform"])
        let wrong = message(
            of: "mr.args { policy = { default = 'lwiq', choices = { 'lwiq', 'uniform' } } }", arguments: ["--policy", "best"])
        #expect(wrong.contains("option --policy must be one of lwiq, uniform, got 'best'"), "\(wrong)")
        #expect(message(of: "mr.args { x = { default = 1, hlep = 'y' } }").contains("unknown key hlep (did you mean help?)"))
        #expect(message(of: "mr.args { x = print }").contains("the default of 'x' must be"))
    }

    @Test func optionsOfTheCommandAreToldApart() {
        let got = message(of: "mr.args { keep = 0.5 }", arguments: ["--quiet"])
        #expect(got.contains("--quiet belongs to moonrail run and stands before the script"), "\(got)")
    }

    /// A column of a view without a value anywhere only takes room.
    @Test func emptyColumnsAreNotPrinted() throws {
        let text = try run("print(mr.compare { { name = 'a', params = 10 }, { name = 'b', params = 5 } })")
        #expect(text == "model  parameters      kept\n─────  ──────────  ────────\na              10  100.00 %\nb               5   50.00 %\n")
    }

    @Test func rowsPrintInColumns() throws {
        let text = try run(
            """
            print(mr.rows({ { name = "a", value = 1.5 }, { name = "long name", value = 20 } }, { { "name", "name" }, { "value", "value" } }))
            """)
        #expect(text == "name       value\n─────────  ─────\na            1.5\nlong name     20\n")
    }

    @Test func jsonGoesOutAndIn() throws {
        let path = "/tmp/moonrail-json-\(UInt64.random(in: 0 ... .max)).json"
        try run(
            """
            mr.write_json("\(path)", { plans = { { keep = 0.5 }, { keep = 0.25 } }, name = "x", ok = true })
            local back = mr.read_json("\(path)")
            assert(back.plans[2].keep == 0.25 and back.name == "x" and back.ok == true)
            """)
        #expect(message(of: "mr.write_json('\(path)', { f = print })").contains("a function has no JSON form"))
        #expect(message(of: "mr.write_json('\(path)', { [0.5] = 1 })").contains("value: the key 0.5 has no JSON form"))
        #expect(message(of: "mr.write_json('\(path)', { a = { [true] = 1 } })").contains("value.a: a key that is neither a name nor a number"))
        #expect(message(of: "mr.write_json('\(path)', { 1, rows = 2 })").contains("both elements and a field 'rows'"))
    }

    static let misspelt: [(String, String)] = [
        ("mr.lod 'x'", "mr has no 'lod' (did you mean 'load'?)"),
        ("mr.nn.con {}", "mr.nn has no 'con' (did you mean 'conv'?)"),
        ("mr.data.fashion_mnst()", "mr.data has no 'fashion_mnst' (did you mean 'fashion_mnist'?)"),
        ("local args = mr.args { keep = 0.5 }; return args.kep", "mr.args has no 'kep' (did you mean 'keep'?)"),
        ("net():fitt(tiny())", "Model has no member 'fitt' (did you mean 'fit'?)"),
        ("net():evalute(tiny())", "did you mean 'evaluate'?"),
        ("return net().layer", "did you mean 'layers'?"),
    ]

    @Test(arguments: misspelt) func misspeltNamesAreErrors(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }

    @Test func theModuleMakesNoGlobals() throws {
        try run("for name in pairs(_G) do assert(name ~= 'mr' and name ~= 'moonrail', name) end")
    }
}
