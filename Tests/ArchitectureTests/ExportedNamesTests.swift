import Testing

/// What `import Moonrail` brings is said once, in a program that imports Foundation too.
@Suite struct ExportedNamesTests {
    @Test func everyExportedTypeIsListed() throws {
        let modules = SourceTree.text("Sources/Moonrail/Moonrail.swift").split(separator: "\n")
            .filter { $0.hasPrefix("@_exported public import ") }.compactMap { $0.split(separator: " ").last }
            .filter { !$0.contains(".") }.map(String.init)
        #expect(modules.contains("Compression") && modules.contains("Tensors"))
        let listed = Set(
            SourceTree.text("Tests/SwiftProgram/ExportedNames.swift").matches(of: /(\w+)\)?\.self/).map { String($0.1) })
        var declared: Set<String> = []
        for file in SourceTree.sources(["swift"]) where modules.contains(file.target) {
            for match in file.text.matches(of: /(?m)^public (?:final |indirect )*(?:struct|class|enum|protocol|actor|typealias) (\w+)/) {
                declared.insert(String(match.1))
                #expect(
                    listed.contains(String(match.1)),
                    "\(file.path): \(match.1) is public, but Tests/SwiftProgram/ExportedNames.swift does not name it")
            }
        }
        #expect(listed.subtracting(declared).isEmpty)
    }

    /// Functions outside of types would be found by every importer's completion.
    @Test func noFunctionIsExportedOutsideOfTypes() {
        for file in SourceTree.sources(["swift"]) where file.lines.contains(where: { $0.hasPrefix("public func ") }) {
            let host: Set<String> = ["LuaRuntime", "LuaBindings", "LuaModule", "Console"]
            #expect(host.contains(file.target), "\(file.path) has a public function outside of types")
        }
    }
}
