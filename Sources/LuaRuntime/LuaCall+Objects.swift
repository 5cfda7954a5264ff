import CLua
import CLuaBridge

extension LuaCall {
    /// The Swift object in a userdata.
    /// - Throws: `ArgumentFailure`: `wrongType`, `closed`, or `busy` while someone has exclusive access to it.
    public func object<Object: AnyObject>(
        _ position: Int, _ name: String, as type: Object.Type = Object.self
    ) throws -> Object {
        guard let index = index(position), let block = moon_object(state.current, index) else {
            throw wrongType(position, name, description(of: type))
        }
        guard let held = block.pointee.object else {
            // A closed one of another class is a wrong type first.
            let className = state.record(at: index)?.name ?? "object"
            guard className == state.className(of: type) else { throw wrongType(position, name, description(of: type)) }
            throw ArgumentFailure.closed(function: functionName, className: className)
        }
        let object = Unmanaged<AnyObject>.fromOpaque(held).takeUnretainedValue()
        let typed: Object
        if Swift.type(of: object) == type { typed = unsafeDowncast(object, to: type) }
        else if let cast = object as? Object { typed = cast }
        else { throw wrongType(position, name, description(of: type)) }
        if !state.borrows.isEmpty, state.borrows[ObjectIdentifier(object)] == LuaState.exclusive {
            throw ArgumentFailure.busy(function: functionName, className: state.className(of: type))
        }
        return typed
    }

    /// Runs `body` with an object that nobody may change meanwhile, while other calls may still read it.
    ///
    /// For functions that call back into Lua: a script must not change what is being iterated.
    public func borrow<Object: AnyObject, Result>(
        _ position: Int, _ name: String, as type: Object.Type = Object.self, _ body: (Object) throws -> Result
    ) throws -> Result {
        let object = try object(position, name, as: type)
        return try state.withBorrow(of: object, exclusive: false, by: functionName, body)
    }

    /// Runs `body` with an object that nobody else may use meanwhile: the way to change it.
    /// - Throws: `ArgumentFailure.busy` when it is already in use further out.
    public func exclusive<Object: AnyObject, Result>(
        _ position: Int, _ name: String, as type: Object.Type = Object.self, _ body: (Object) throws -> Result
    ) throws -> Result {
        let object = try object(position, name, as: type)
        return try state.withBorrow(of: object, exclusive: true, by: functionName, body)
    }

    private func description<Object: AnyObject>(of type: Object.Type) -> String {
        let name = state.className(of: type)
        return (name.first.map { "aeiouAEIOU".contains($0) } ?? false ? "an " : "a ") + name
    }
}

extension LuaState {
    /// What `borrows` holds for an object in exclusive use; shared uses are counted.
    static let exclusive = -1

    /// Runs `body` while `object` is marked as in use, through every userdata that holds it.
    func withBorrow<Object: AnyObject, Result>(
        of object: Object, exclusive: Bool, by function: String, _ body: (Object) throws -> Result
    ) throws -> Result {
        let key = ObjectIdentifier(object)
        let before = borrows[key]
        guard before == nil || (before != Self.exclusive && !exclusive) else {
            throw ArgumentFailure.busy(function: function, className: className(of: Object.self))
        }
        borrows[key] = exclusive ? Self.exclusive : (before ?? 0) + 1
        defer { borrows[key] = before }
        return try body(object)
    }
}
