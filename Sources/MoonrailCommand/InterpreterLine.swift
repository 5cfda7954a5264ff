/// A command line as Lua's own interpreter reads it: `[options] [script [arguments]]`.
struct InterpreterLine: Equatable {
    enum Action: Equatable {
        /// `-e`
        case run(String)
        /// `-l`: the module, and the global that it becomes.
        case require(module: String, global: String)
        /// `-W`
        case warn
    }

    enum Mistake: Error, Equatable {
        case unknownOption(String)
        case missingArgument(String)
    }

    var isInteractive = false
    var showsVersion = false
    var ignoresEnvironment = false
    /// In the order in which they stand.
    var actions: [Action] = []
    /// Where the script stands among the words, `-` being one; `nil` where there is none.
    var script: Int?
    var hasStatements: Bool { actions.contains { if case .run = $0 { true } else { false } } }

    /// - Throws: `Mistake`.
    init(_ words: [String]) throws {
        var position = 0
        while position < words.count {
            let word = words[position]
            guard word.utf8.first == UInt8(ascii: "-"), word != "-" else { break }
            switch word {
            case "--":
                script = position + 1 < words.count ? position + 1 : nil
                return
            case "-i": (isInteractive, showsVersion) = (true, true)
            case "-v": showsVersion = true
            case "-E": ignoresEnvironment = true
            case "-W": actions.append(.warn)
            case _ where word.hasPrefix("-e"): actions.append(.run(try Self.argument(words, &position)))
            case _ where word.hasPrefix("-l"): actions.append(Self.module(try Self.argument(words, &position)))
            default: throw Mistake.unknownOption(word)
            }
            position += 1
        }
        script = position < words.count ? position : nil
    }

    /// What follows the letter in the same word, or else the next word.
    private static func argument(_ words: [String], _ position: inout Int) throws -> String {
        let word = words[position]
        if word.unicodeScalars.count > 2 { return String(String.UnicodeScalarView(word.unicodeScalars.dropFirst(2))) }
        guard position + 1 < words.count, words[position + 1].utf8.first != UInt8(ascii: "-") else {
            throw Mistake.missingArgument(word)
        }
        position += 1
        return words[position]
    }

    /// `name`, or `global=name`.
    private static func module(_ text: String) -> Action {
        guard let equals = text.firstIndex(of: "=") else { return .require(module: text, global: text) }
        return .require(module: String(text[text.index(after: equals)...]), global: String(text[..<equals]))
    }
}
