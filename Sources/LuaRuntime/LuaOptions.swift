public import Basics

/// How a Lua state is opened.
public struct LuaOptions {
    /// Whether scripts are confined: no `io`, `debug`, `loadfile`, `dofile`, `package.loadlib`, files for `require`,
    /// compiled chunks, `os` beyond the clock, or `__gc` in script metatables.
    public var isSandboxed: Bool
    /// The most bytes that the Lua heap and all that scripts hold outside of it may take together, such as tensors, models with
    /// their notes, data sets, tapes and errors; `nil` for no limit. Each object counts in full, also where several share
    /// their bytes, and so does what a function takes over from Lua while it runs. Tensors that it makes meanwhile are limited by
    /// the context, which a state of its own limits to the same number.
    public var memoryLimit: Int?
    /// The most virtual-machine instructions that one outermost call may run; `nil` for no limit.
    public var instructionLimit: Int?
    /// The most seconds that one outermost call may take; `nil` for no limit. Scripts, functions of the library, loops of
    /// the toolkit and large kernels see it, but one call of LAPACK is not cut short.
    public var timeLimit: Double?
    /// The files and directories that functions of the host may open for a script; `nil` for all of them, or for none in
    /// a sandbox. They are opened with the state: a file or directory that is made later must have its folder by then.
    ///
    /// It covers what is asked for by `LuaCall.path` and `OptionReader.path`, and every file that the toolkit opens while a
    /// function runs for a script, whoever named it. Without a sandbox, Lua's own `io` knows no such limit.
    public var allowedPaths: [String]?
    /// What scripts compute with, such as `ComputeContext(threadCount: 1, memoryLimit: 1 << 30)`; `nil` for a context of
    /// the state's own. States on different threads should not share one that limits them together.
    public var context: ComputeContext?
    /// Instructions between two looks at the context's `cancellation`; `nil` where scripts need not be stoppable inside pure Lua.
    ///
    /// The hook behind it costs the same for every interval: an empty counting loop took 1.5 times as long with it,
    /// recursive calls 2.1, table filling 1.3, string work 1.0. Swift functions notice a request without it.
    public var interruptInterval: Int?
    /// What happens when a chunk that the host loads reads or writes a global that nothing declared. Modules, and chunks
    /// that a script loads, always have Lua's own rules, and `local _ENV = _G` gives a script those as well.
    public var globals: LuaGlobals
    /// Whether `LUA_PATH_5_4`, `LUA_CPATH_5_4` and their kin are left unread.
    public var ignoresEnvironment: Bool
    /// Receives what `print` writes, line by line with its newline; `nil` for standard output. What it throws, `print`
    /// raises. Bytes that are not UTF-8 are those of `foreignBytes`.
    public var output: ((String) throws -> Void)?
    /// Receives what `warn` says and errors in finalizers, line by line without newlines, unless a script said `warn "@off"`;
    /// `nil` for standard error.
    public var warnings: ((String) -> Void)?

    public init(
        isSandboxed: Bool = false, memoryLimit: Int? = nil, instructionLimit: Int? = nil, timeLimit: Double? = nil,
        allowedPaths: [String]? = nil,
        context: ComputeContext? = nil, interruptInterval: Int? = 10_000, globals: LuaGlobals = .lenient,
        ignoresEnvironment: Bool = false,
        output: ((String) throws -> Void)? = nil,
        warnings: ((String) -> Void)? = nil
    ) {
        self.isSandboxed = isSandboxed
        self.memoryLimit = memoryLimit
        self.instructionLimit = instructionLimit
        self.timeLimit = timeLimit
        self.allowedPaths = allowedPaths
        self.context = context
        self.interruptInterval = interruptInterval
        self.globals = globals
        self.ignoresEnvironment = ignoresEnvironment
        self.output = output
        self.warnings = warnings
    }
}

/// The rules for global variables of the chunks that a host loads.
public enum LuaGlobals: Sendable {
    /// Lua's own: reading an unknown global gives nil, writing one declares it.
    case lenient
    /// Reading an unknown global is an error that names the nearest known one; a chunk declares one by writing
    /// it, outside of its functions, where that is an error too.
    case declaredByWriting
    /// Reading and writing an unknown global are errors: scripts use locals.
    case fixed
}
