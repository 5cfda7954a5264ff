import Testing

/// Who may import whom. That imports are declared in Package.swift is checked by the build itself
/// (`--explicit-target-dependency-import-check error`), so the imports are what counts here.
@Suite struct RowTests {
    /// Two columns over `Basics`: the numerics, and the Lua host. They meet in `LuaBindings`.
    enum Column { case shared, numerics, host, meeting }

    struct Place {
        let row: Int
        let column: Column
        /// C modules and packages beyond the Swift rows.
        var foreign: Set<String> = []
    }

    /// The table of the README: rows such as `| 3 | `Graphs`, `Formats` | … |`, of which those of the host begin with H. The two
    /// columns meet from the row of `LuaBindings` on.
    static let table: [String: Place] = {
        let rows = SourceTree.text("README.md").split(separator: "\n").compactMap { line -> (column: Column, row: Int, modules: [String])? in
            let cells = line.split(separator: "|").map { $0.trimming(" ") }
            guard cells.count == 3, let row = Int(cells[0].drop { $0 == "H" }) else { return nil }
            let modules = cells[1].split(separator: "`").enumerated().filter { $0.offset % 2 == 0 }.map { String($0.element) }
            return (cells[0].hasPrefix("H") ? .host : row == 0 ? .shared : .numerics, row, modules)
        }
        let meeting = rows.first { $0.modules.contains("LuaBindings") }?.row ?? .max
        return rows.reduce(into: [:]) { table, row in
            for module in row.modules {
                table[module] = Place(
                    row: row.row, column: row.column == .numerics && row.row >= meeting ? .meeting : row.column, foreign: foreign[module] ?? [])
            }
        }
    }()

    /// What is allowed beyond that.
    static let foreign: [String: Set<String>] = [
        "Basics": ["CFiles"], "Tensors": ["CKernels", "COneDNN", "COpenBLAS", "COpenBLASKernels"], "KernelChecks": ["COneDNN"],
        "EventMessages": ["SwiftProtobuf", "Foundation", "FoundationEssentials"],
        "ONNXMessages": ["SwiftProtobuf", "Foundation", "FoundationEssentials"],
        "Formats": ["CZlib", "CImages", "FoundationEssentials"], "Execution": ["COneDNN"], "LuaRuntime": ["CLua", "CLuaBridge"],
        "Console": ["CEdit"], "LuaModule": ["CLuaModule"], "MoonrailCommand": ["ArgumentParser", "CStartup", "Foundation"],
    ]

    /// Modules of the toolchain that everybody may use.
    static let toolchain: Set<String> = ["Swift", "Glibc", "Darwin", "Synchronization"]

    @Test func everyImportPointsDown() {
        for file in SourceTree.sources(["swift"]) {
            for module in Self.imports(in: file) where !Self.mayImport(module, from: file.target) {
                Issue.record("\(file.path) imports \(module), which \(file.target) may not")
            }
        }
    }

    @Test func everyDeclaredDependencyPointsDown() {
        for target in Self.declaredRows() {
            for dependency in target.dependencies where !Self.mayImport(dependency, from: target.name) {
                Issue.record("Package.swift lets \(target.name) depend on \(dependency)")
            }
        }
    }

    /// A new target has to take its place in the table, and every other test here would pass without files.
    @Test func everyTargetHasAPlace() {
        let targets = SourceTree.directories("Sources").filter { !SourceTree.isForeign($0) }
        #expect(Set(targets).isSuperset(of: Self.table.keys))
        for target in targets { #expect(Self.table[target] != nil, "\(target) has no row") }
        let declared = Self.declaredRows()
        #expect(Set(declared.map(\.name)) == Set(targets), "\(declared.map(\.name))")
        #expect(declared.contains { $0.name == "MoonrailCommand" && $0.dependencies.contains("LuaBindings") })
    }

    @Test(arguments: [
        ("Tensors", "LuaRuntime"), ("Compression", "CLua"), ("LuaRuntime", "Tensors"), ("Console", "Tensors"),
        ("Tensors", "Graphs"), ("Graphs", "Autograd"), ("Basics", "Tensors"), ("Tensors", "Foundation"),
        ("Console", "LuaBindings"), ("LuaBindings", "COneDNN"),
    ])
    func theRulesRefuse(target: String, module: String) {
        #expect(!Self.mayImport(module, from: target))
    }

    static func mayImport(_ module: String, from target: String) -> Bool {
        guard let place = table[target] else { return false }
        if toolchain.contains(module) || place.foreign.contains(module) { return true }
        guard let other = table[module], other.row < place.row else { return false }
        return place.column == .meeting || other.column == .shared || other.column == place.column
    }

    /// The modules that a file imports.
    static func imports(in file: SourceTree.File) -> [String] {
        file.lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
                words[..<position].allSatisfy({ $0.hasPrefix("@") || ["public", "package", "internal", "private", "fileprivate"].contains($0) })
            else { return nil }
            // `import struct Module.Name` names the module second.
            let kinds: Set<Substring> = ["struct", "class", "enum", "func", "protocol", "typealias", "var", "let"]
            let name = kinds.contains(words[position + 1]) && position + 2 < words.count ? words[position + 2] : words[position + 1]
            return String(name.prefix { $0 != "." })
        }
    }

    /// The Swift targets of the manifest that are no tests, with their dependencies: `row("Name", ["Dependency", …])`, and
    /// what is written out as `.target(name: "Name", dependencies: […])` or `.executableTarget(…)`.
    static func declaredRows() -> [(name: String, dependencies: [String])] {
        let manifest = SourceTree.text("Package.swift")
        let marks = ["row(", ".target(", ".executableTarget(", ".systemLibrary(", "suite("]
        return ["row(", ".target(", ".executableTarget("].flatMap { manifest.components(after: $0) }.compactMap { piece in
            let end = marks.compactMap { piece.firstRange(of: $0)?.lowerBound }.min() ?? piece.endIndex
            let own = piece[..<end]
            guard !own.contains("path: \"Tests/") else { return nil }
            // The name, then the list in brackets; other arguments follow those. Products are named before their package.
            let list = own.prefix { $0 != "]" }.replacing(/, package: "[^"]*"/, with: "")
            guard let name = list.quotedStrings.first, !SourceTree.isForeign(name) else { return nil }
            return (name, Array(list.quotedStrings.dropFirst()))
        }
    }
}

extension SourceTree {
    /// Whether a target is C.
    static func isForeign(_ target: String) -> Bool {
        target.first == "C" && target.dropFirst().first.map { $0.isUppercase } ?? false
    }
}

extension Substring {
    /// Without `character` at both ends.
    func trimming(_ character: Character) -> Substring {
        let start = drop { $0 == character }
        return start[..<(start.lastIndex { $0 != character }.map { start.index(after: $0) } ?? start.startIndex)]
    }
}

extension StringProtocol {
    /// The pieces that follow each `mark`.
    func components(after mark: String) -> [String] {
        var pieces: [String] = []
        var rest = String(self)[...]
        while let range = rest.firstRange(of: mark) {
            rest = rest[range.upperBound...]
            pieces.append(String(rest.firstRange(of: mark).map { rest[..<$0.lowerBound] } ?? rest))
        }
        return pieces
    }

    /// The texts between pairs of quotes.
    var quotedStrings: [String] {
        split(separator: "\"", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
