public import Basics

/// An error that came out of Lua, or out of the host itself.
///
/// It remembers the Lua value that was raised: thrown out of a Swift function that Lua called, it becomes that very
/// value again, so that an error keeps its identity however often it crosses.
public struct LuaFailure: Failure, @unchecked Sendable {
    public let code: String
    /// One sentence, with `chunk:line:` in front where Lua put it there.
    public let message: String
    /// Where in a nest of things it happened, outermost first; empty where nobody said.
    public let path: [String]
    /// Lua's traceback of the point where the error was raised; empty where there was none.
    public let traceback: String
    /// Whether a chunk ended too early, so that more input could complete it.
    public let isIncomplete: Bool
    /// The Swift error inside, where a Swift function threw it.
    public let underlying: (any Error)?
    /// The Lua error value. Belongs to the state's thread.
    package let value: LuaValue?

    init(
        code: String, message: String, path: [String] = [], traceback: String = "", isIncomplete: Bool = false,
        underlying: (any Error)? = nil, value: LuaValue? = nil
    ) {
        self.code = code
        self.message = message
        self.path = path
        self.traceback = traceback
        self.isIncomplete = isIncomplete
        self.underlying = underlying
        self.value = value
    }

    public var description: String { message }

    /// What Lua's own interpreter says of the error: the message with the traceback behind it, only the message of an error
    /// object that has a text, and the type of one that has none.
    public var interpreterMessage: String {
        if isInterrupted { return "interrupted!\n" + traceback }
        switch value {
        case .table(let table):
            let hasText = (try? table.metatable()?.rawGet("__tostring").isNil) == false
            return hasText ? message : "(error object is a table value)"
        case .nil, .boolean, .function:
            return "(error object is a \(value?.typeName ?? "nil") value)" + "\n" + traceback
        default: return traceback.isEmpty ? message : message + "\n" + traceback
        }
    }

    /// Whether the user stopped the computation.
    public var isInterrupted: Bool { code == Interrupted().code }

    static let stateClosed = LuaFailure(code: "lua.stateClosed", message: "the Lua state was closed")
    static let foreignValue = LuaFailure(code: "lua.foreignValue", message: "the value belongs to another Lua state")
    static let stackFull = LuaFailure(code: "lua.stackFull", message: "the Lua stack is full")
    static let instructionLimit = LuaFailure(
        code: "lua.instructionLimit", message: "the script ran more instructions than its limit allows")
}

/// A failure that a script or a binding words itself.
public struct ScriptFailure: Failure {
    public let code: String
    public let description: String

    public init(code: String, _ description: String) {
        self.code = code
        self.description = description
    }
}
