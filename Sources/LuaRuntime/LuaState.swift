public import Basics
import CLua
import CLuaBridge

/// A Lua 5.4 interpreter, or a guest's view of someone else's.
///
/// A state belongs to the thread that uses it; nothing here may be called from another. Closures registered with a
/// state should reach it through `call.state`: capturing it keeps it alive until `close()`.
public final class LuaState {
    public let options: LuaOptions
    /// What this state's scripts compute with: threads, kernels, tensor memory, and the request to stop them.
    public let context: ComputeContext
    let host: UnsafeMutablePointer<MoonHost>
    /// What functions of the host may open for scripts; `nil` for everything.
    let roots: FileRoots?
    private let main: OpaquePointer
    private let ownsInterpreter: Bool
    private(set) var isOpen = true
    /// The coroutine that is running, whose stack every operation uses.
    var current: OpaquePointer
    private(set) var references: ReferencePool!
    /// Objects in use by a scoped borrow, whichever userdata they were reached through.
    var borrows: [ObjectIdentifier: Int] = [:]
    var classes: [ObjectIdentifier: ClassRecord] = [:]
    /// Functions that scripts called and that have not returned, and the bytes that these took over from Lua.
    var (functionDepth, takenByteCount) = (0, 0)
    /// What chunks that the host loads see as their globals, where that is not the global table itself.
    private(set) var environment: LuaReference?
    var classesByMetatable: [UnsafeRawPointer: ClassRecord] = [:]

    /// Opens a new interpreter with the standard libraries.
    /// - Throws: `LuaFailure` with code `lua.memory` where the memory limit does not hold the standard libraries.
    public convenience init(_ options: LuaOptions = LuaOptions()) throws {
        Self.installCallbacks
        let host = Self.makeHost(options)
        guard let L = moon_open(host, MoonOpening(sandboxed: options.isSandboxed, ignoresEnvironment: options.ignoresEnvironment)) else {
            host.deallocate()
            throw LuaFailure(
                code: "lua.memory",
                message: "a Lua state needs more memory than the limit of \(options.memoryLimit ?? 0) bytes")
        }
        self.init(main: L, host: host, ownsInterpreter: true, options: options)
        try register(ErrorValue.luaClass)
        environment = try makeEnvironment()
    }

    private init(
        main: OpaquePointer, host: UnsafeMutablePointer<MoonHost>, ownsInterpreter: Bool, options: LuaOptions
    ) {
        self.options = options
        context = options.context ?? ComputeContext()
        self.host = host
        roots = options.allowedPaths.map { FileRoots($0) } ?? (options.isSandboxed ? FileRoots([]) : nil)
        self.main = main
        self.ownsInterpreter = ownsInterpreter
        current = main
        references = ReferencePool(self)
        host.pointee.state = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        close()
        host.deallocate()
    }

    /// Closes an interpreter that this state opened; a guest only lets go. Harmless when done already, and ignored
    /// while a script runs.
    ///
    /// References that outlive the state throw `lua.stateClosed` when used.
    public func close() {
        guard isOpen, host.pointee.callDepth == 0 else { return }
        guard ownsInterpreter else { return detach() }
        moon_close(main, host)
        detach()
    }

    fileprivate func detach() {
        isOpen = false
        references.close()
    }

    private static func makeHost(_ options: LuaOptions) -> UnsafeMutablePointer<MoonHost> {
        let host = UnsafeMutablePointer<MoonHost>.allocate(capacity: 1)
        var record = MoonHost()
        record.heapLimit = max(0, options.memoryLimit ?? 0)
        record.instructionLimit = Int64(max(0, options.instructionLimit ?? 0))
        // A limit on time needs the hook too.
        let interval = options.interruptInterval ?? (options.timeLimit == nil ? 0 : 10_000)
        record.hookInterval = Int32(clamping: max(0, interval))
        if record.instructionLimit > 0 {
            let finest = Int32(clamping: max(1, min(record.instructionLimit / 10, 1000)))
            record.hookInterval = record.hookInterval == 0 ? finest : min(record.hookInterval, finest)
        }
        record.collectionThreshold = min(64 << 20, options.memoryLimit.map { $0 / 4 } ?? .max)
        host.initialize(to: record)
        return host
    }

    // MARK: Guests

    /// The state of an interpreter that another program opened, such as the stock `lua` that calls `luaopen_…`.
    ///
    /// The interpreter keeps it alive until it closes, and keeps its own libraries, allocator and hooks: limits and
    /// the sandbox are not offered. Attaching twice gives the same state.
    /// - Parameter interpreter: a `lua_State *`, of whichever coroutine is running.
    public static func attach(to interpreter: OpaquePointer) throws -> LuaState {
        installCallbacks
        if let host = moon_host(interpreter), let state = host.pointee.state {
            return Unmanaged<LuaState>.fromOpaque(state).takeUnretainedValue()
        }
        let options = LuaOptions(interruptInterval: nil)
        let state = LuaState(
            main: moon_main_thread(interpreter), host: makeHost(options), ownsInterpreter: false, options: options)
        try state.entering(interpreter) {
            try state.reserve(4)
            // First of all finalizers to be set up, therefore the last to run when the interpreter closes.
            try state.pushRetained(Anchor(state))
            var reference: Int32 = 0
            try state.check(moon_reference(interpreter, &reference))
            try state.check(moon_attach(interpreter, state.host))
            try state.register(ErrorValue.luaClass)
        }
        return state
    }

    /// Runs `body` as the body of a `luaopen_…` function of a guest: pushes the module, or the error value.
    /// - Returns: 1 with the module pushed, or -1 with the error value pushed, for the C caller to raise.
    public static func open(
        in interpreter: OpaquePointer, _ body: (LuaState) throws -> LuaTable
    ) -> Int32 {
        let state: LuaState
        do {
            state = try attach(to: interpreter)
        } catch {
            // Without a state there are no error objects: a text says why, or Lua's own error takes its place.
            "moonrail cannot attach to this interpreter: \(error)".withForeignBytes { bytes in
                _ = moon_push_string(interpreter, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
            }
            return -1
        }
        return state.entering(interpreter) {
            do {
                try body(state).push(to: state)
                return 1
            } catch {
                state.pushFailure(error)
                return -1
            }
        }
    }

    // MARK: The running coroutine

    /// The `lua_State *` of the running coroutine, for other C libraries that bind to Lua.
    public var interpreter: OpaquePointer { current }

    /// Runs `body` with `L` as the stack in use, and the thread at work for this state.
    @inline(__always)
    func entering<Result>(_ L: OpaquePointer, _ body: () throws -> Result) rethrows -> Result {
        let outer = current
        current = L
        defer { current = outer }
        if !references.isEmpty { references.drain(L) }
        return try WorkingThread.current.work(for: context, within: roots, collector: self, body)
    }

    /// What Lua's own interpreter says of itself: its version and its authors.
    public static var copyright: String { String(cString: moon_copyright()) }

    /// As `warn "@on"` or `warn "@off"` in a script.
    public func setWarnings(areShown: Bool) { host.pointee.isQuiet = !areShown }

    /// The global table.
    public var globals: LuaTable {
        get throws {
            try reserve(1)
            lua_rawgeti(current, moon_registry_index(), lua_Integer(LUA_RIDX_GLOBALS))
            defer { pop() }
            return LuaTable(reference: try reference(at: -1))
        }
    }

    /// A new table with `fields`.
    public func table(_ fields: LuaFields = [:]) throws -> LuaTable {
        try fields.push(to: self)
        defer { pop() }
        return LuaTable(reference: try reference(at: -1))
    }

    /// `value` in its Lua form.
    public func value(_ value: some LuaConvertible) throws -> LuaValue {
        try value.push(to: self)
        return try popValue()
    }

    /// The text of a value as `tostring` gives it, honouring `__tostring`.
    public func text(of value: some LuaConvertible) throws -> String {
        try value.push(to: self)
        try check(moon_to_text(current))
        defer { pop() }
        return text(at: -1) ?? ""
    }
}

/// Held by a guest's interpreter; dies when that closes.
private final class Anchor {
    let state: LuaState
    init(_ state: LuaState) { self.state = state }
    deinit { state.detach() }
}
