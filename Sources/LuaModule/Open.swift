import Basics
import LuaBindings
import LuaRuntime

/// The toolkit in an interpreter that another program opened, such as Debian's `lua5.4`; called by
/// `luaopen_moonrail`. The interpreter keeps its own libraries, allocator and signals.
/// - Returns: 1 with the module on the stack, or -1 with an error value there.
@_cdecl("moonrail_open")
public func openMoonrail(_ interpreter: OpaquePointer) -> Int32 {
    LuaState.open(in: interpreter) { state in
        try Toolkit.install(in: state)
        guard let module = try state.require("moonrail").table else { throw ModuleFailure.notATable }
        return module
    }
}

/// The interpreter's `require` gave something else than the toolkit.
enum ModuleFailure: Failure {
    case notATable

    var code: String { "module.notATable" }
    var description: String {
        "require \"moonrail\" gave no table inside luaopen_moonrail; is package.preload or package.loaded changed by the program?"
    }
}
