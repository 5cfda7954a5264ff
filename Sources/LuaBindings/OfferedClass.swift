import LuaRuntime

/// Classes are registered where the functions stand that make their objects, so that the toolkit has no list of them.
extension LuaTable {
    /// Registers a class in the state whose `moonrail.core` this table is, and lets the standard library add to it:
    /// `core.methods.Name` has its methods, `core.getters.Name` the fields that are worked out when they are read. Tests
    /// hold both against the description of the API, where the prompt's help finds the class.
    func offer<Object: AnyObject>(_ luaClass: LuaClass<Object>, in state: LuaState) throws {
        try state.register(luaClass)
        try members("methods", in: state).set(luaClass.name, try state.methods(of: Object.self))
        try members("getters", in: state).set(luaClass.name, try state.getters(of: Object.self))
    }

    /// The table of this name, which the first class makes.
    private func members(_ name: String, in state: LuaState) throws -> LuaTable {
        if let known = try rawGet(name).table { return known }
        let made = try state.table()
        try set(name, made)
        return made
    }
}
