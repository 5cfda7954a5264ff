import CLua
import CLuaBridge

extension LuaCall {
    /// The Swift object in a userdata.
    /// - Throws: `ArgumentFailure`: `wrongType`, `closed`, or `busy` while someone has exclusive access to it.
    public func object<Object: AnyObject>(
        _ position: Int, _ name: String, as type: Object.Type = Object.self
    ) throws -> Object {
        guard let index = index(position), let object = try state.object(at: index, as: type, for: functionName) else {
            throw wrongType(position, name, state.description(of: type))
        }
        return object
    }

    /// The Swift object in a value, such as an element of a table; `nil` where it is anything else.
    /// - Throws: `ArgumentFailure`: `closed`, or `busy` while someone has exclusive access to it.
    public func object<Object: AnyObject>(in value: LuaValue, as type: Object.Type = Object.self) throws -> Object? {
        try state.object(in: value, as: type, for: functionName)
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
}

extension LuaCall {
    /// Counts anew what the receiver, or the argument at `position`, keeps outside of Lua's heap, after a function that changed it.
    public func recount(_ receiver: AnyObject, position: Int = 0) {
        guard state.host.pointee.heapLimit != 0, let index = index(position), let block = moon_object(state.current, index),
            let byteCount = state.record(at: index)?.byteCount?(receiver)
        else { return }
        moon_object_recount(block, max(0, byteCount) + Int(MOON_OBJECT_COST))
    }
}

extension LuaState {
    /// The open object of that class at `index`, for `function` to use: every way from a value to an object goes here.
    /// - Returns: `nil` for anything that is no object of the class, or a closed one of another.
    /// - Throws: `ArgumentFailure`: `closed`, or `busy` while someone has exclusive access to it.
    func object<Object: AnyObject>(
        at index: Int32, as type: Object.Type, for function: @autoclosure () -> String
    ) throws -> Object? {
        guard let block = moon_object(current, index) else { return nil }
        guard let held = block.pointee.object else {
            guard let name = record(at: index)?.name, name == className(of: type) else { return nil }
            throw ArgumentFailure.closed(function: function(), className: name)
        }
        let object = Unmanaged<AnyObject>.fromOpaque(held).takeUnretainedValue()
        let typed: Object
        if Swift.type(of: object) == type { typed = unsafeDowncast(object, to: type) } else if let cast = object as? Object { typed = cast } else { return nil }
        if !borrows.isEmpty, borrows[ObjectIdentifier(object)] == Self.exclusive {
            throw ArgumentFailure.busy(function: function(), className: className(of: type))
        }
        return typed
    }

    /// The open object of that class in a value.
    func object<Object: AnyObject>(
        in value: LuaValue, as type: Object.Type, for function: @autoclosure () -> String
    ) throws -> Object? {
        guard case .object(let object) = value else { return nil }
        return try balanced {
            try object.reference.push(on: self)
            defer { pop() }
            return try self.object(at: -1, as: type, for: function())
        }
    }

    func description<Object: AnyObject>(of type: Object.Type) -> String {
        let name = className(of: type)
        return (name.first.map { "aeiouAEIOU".contains($0) } ?? false ? "an " : "a ") + name
    }

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
