/// What was entered at a prompt and ran, as a script that does the same.
struct Transcript {
    enum Entry: Equatable {
        case statements(String)
        /// - isCall: whether the text is a statement too, so that nothing has to be made of its value.
        case expression(String, isSilent: Bool, isCall: Bool)
    }

    private(set) var entries: [Entry] = []

    /// How many values `_1`, `_2`, … keep.
    static let keptCount = 9
    static let keptNames = (1...keptCount).map { "_\($0)" }

    mutating func add(_ entry: Entry) { entries.append(entry) }

    /// The script, behind the lines of `head`. What was shown is printed; `_` and `_1`, `_2`, … are kept where an input
    /// mentions them.
    func script(head: String) -> String {
        let keepsValues = entries.contains { Self.mentionsKept($0.text) }
        let lines = entries.map { entry -> String in
            switch entry {
            case .statements(let text): return text
            case .expression(let text, let isSilent, let isCall):
                if keepsValues {
                    let names = (["_"] + Self.keptNames).joined(separator: ", ")
                    let values = (["value", "value"] + Self.keptNames.dropLast()).joined(separator: ", ")
                    let kept = "do local value = \(text)\n\(names) = \(values) end"
                    return isSilent ? kept : kept + "\nprint(_)"
                }
                if !isSilent { return text.contains("--") ? "print(\(text)\n)" : "print(\(text))" }
                return isCall ? text : "local _ = \(text)"
            }
        }
        let declared = keepsValues ? ["local " + (["_"] + Self.keptNames).joined(separator: ", ")] : []
        return ((head.isEmpty ? [] : [head]) + declared + lines).joined(separator: "\n") + "\n"
    }

    /// Whether `_` or one of `_1`, `_2`, … is a word of `text`.
    private static func mentionsKept(_ text: String) -> Bool {
        let words = text.utf8.split { !LuaWords.isNameByte($0) }
        return words.contains { word in
            let rest = word.dropFirst()
            return word.first == UInt8(ascii: "_") && rest.count <= 1 && rest.allSatisfy { (49...57).contains($0) }
        }
    }
}

extension Transcript.Entry {
    var text: String {
        switch self {
        case .statements(let text), .expression(let text, _, _): text
        }
    }
}
