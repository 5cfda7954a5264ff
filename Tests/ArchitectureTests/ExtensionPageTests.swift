import Testing

/// Pages of the documentation that follow an extension through the files it touches show those files as they are.
@Suite struct ExtensionPageTests {
    struct Excerpt {
        let path: String
        var text = ""
    }

    /// The blocks of a page that stand behind the path of a file.
    private static func excerpts(_ page: String) -> [Excerpt] {
        var (found, open, path): ([Excerpt], Excerpt?, String?) = ([], nil, nil)
        for line in SourceTree.text("Sources/Moonrail/Moonrail.docc/\(page).md").split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                if let done = open { found.append(done) }
                open = open == nil ? path.map { Excerpt(path: $0) } : nil
                path = nil
            } else if open != nil {
                open?.text += line + "\n"
            } else if line.hasPrefix("`"), line.hasSuffix("`:") {
                path = String(line.dropFirst().dropLast(2))
            }
        }
        return found
    }

    @Test(arguments: [("NewOperation", 5), ("NewFileFormat", 3), ("NewLuaClass", 4), ("NewFamily", 2), ("NewPolicy", 3)])
    func pagesShowTheFilesAsTheyAre(_ page: String, _ count: Int) {
        let excerpts = Self.excerpts(page)
        #expect(excerpts.count == count)
        for excerpt in excerpts {
            #expect(SourceTree.text(excerpt.path).contains(excerpt.text), "\(page) shows \(excerpt.path) otherwise than it is")
        }
    }
}
