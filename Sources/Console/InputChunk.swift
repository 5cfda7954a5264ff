package import LuaRuntime

/// What a person typed, as Lua sees it: an expression, statements, or the beginning of either.
package enum InputChunk {
    /// - isSilent: whether a `;` at the end asks for no output.
    case expression(LuaFunction, isSilent: Bool)
    case statements(LuaFunction)
    /// More lines may complete it.
    case incomplete

    /// What messages call the chunk.
    package static let name = "input"

    /// Compiles `text`, as an expression where it is one.
    /// - Throws: `LuaFailure` with the syntax error, in terms of `text` itself.
    package init(_ text: String, in state: LuaState) throws {
        // Each text ends with a newline, so that a quote left open is an error rather than a beginning.
        do {
            // The newline before the semicolon ends a comment. `return` takes only one semicolon: where this compiles,
            // the text had none of its own at its end.
            self = .expression(try state.load("return \(text)\n;", name: Self.name), isSilent: false)
            return
        } catch {}
        var expressionIsIncomplete = false
        do {
            self = .expression(try state.load("return \(text)\n", name: Self.name), isSilent: true)
            return
        } catch let failure as LuaFailure {
            expressionIsIncomplete = failure.isIncomplete
        }
        do {
            self = .statements(try state.load(Self.keepingLocals(text) + "\n", name: Self.name))
        } catch let failure as LuaFailure where failure.isIncomplete || expressionIsIncomplete {
            self = .incomplete
        }
    }

    /// A silenced expression without the `;` at its end.
    static func withoutSemicolon(_ text: String) -> String {
        let rest = text.trimmed
        return rest.hasSuffix(";") ? rest.dropLast().trimmed : rest
    }

    /// At a prompt each input is a chunk of its own, and `local x = 1` would be forgotten at once; so that lines of a
    /// script can be pasted one by one, `local` at the beginning of an input makes a global.
    package static func keepingLocals(_ text: String) -> String {
        let indent = text.prefix { $0 == " " || $0 == "\t" }
        let body = text.dropFirst(indent.count)
        guard body.hasPrefix("local ") || body.hasPrefix("local\t") else { return text }
        let rest = body.dropFirst(6).drop { $0 == " " || $0 == "\t" }
        if rest.hasPrefix("function") { return String(indent + rest) }
        // Names and an `=`; attributes such as <close> need the local that carries them.
        let names = rest.prefix { $0 != "=" }
        guard names.count < rest.count,
            names.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "," || $0 == " " })
        else { return text }
        return String(indent + rest)
    }
}
