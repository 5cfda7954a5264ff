import Basics

/// A line at the prompt that is no Lua: it begins with a colon or a question mark.
enum PromptLine: Equatable {
    case nothing
    case lua
    /// `?name`
    case help(String)
    /// `??word`
    case search(String)
    case command(ColonCommand, argument: String)
    /// A colon and a word that is none of the commands.
    case unknown(String)

    init(_ line: String) {
        let text = line.trimmed
        if text.isEmpty {
            self = .nothing
        } else if text.hasPrefix("??") {
            self = .search(text.dropFirst(2).trimmed)
        } else if text.hasPrefix("?") {
            self = .help(text.dropFirst().trimmed)
        } else if text.hasPrefix(":"), !text.hasPrefix("::") {
            let word = String(text.dropFirst().prefix { !$0.isWhitespace })
            let argument = text.dropFirst(1 + word.count).trimmed
            self = ColonCommand(parsing: word).map { .command($0, argument: argument) } ?? .unknown(word)
        } else {
            self = .lua
        }
    }
}

/// The commands of the prompt itself.
enum ColonCommand: String, CaseIterable {
    case time, mem, who, save, help, quit

    /// Any beginning of a name that fits one alone, so `:q` leaves.
    init?(parsing word: String) {
        let fitting = Self.allCases.filter { $0.rawValue.hasPrefix(word) }
        guard !word.isEmpty, fitting.count == 1 else { return nil }
        self = fitting[0]
    }

    static let names = allCases.map(\.rawValue)

    /// What messages offer in place of an unknown `word`.
    static func hint(for word: String) -> String {
        let near = nearestName(to: word, among: names).map { " (did you mean ':\($0)'?)" } ?? ""
        return "unknown command ':\(word)'\(near); there are " + names.map { ":" + $0 }.joined(separator: ", ")
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    var trimmed: String {
        func isSpace(_ character: Character) -> Bool { character.isWhitespace }
        var rest = self[...].drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return String(rest)
    }
}
