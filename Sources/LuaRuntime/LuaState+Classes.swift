import Basics
import CLua
import CLuaBridge

/// A class as one state knows it.
final class ClassRecord {
    let name: String
    let members: [LuaMember]
    let byteCount: ((AnyObject) -> Int)?
    let isInstance: (AnyObject) -> Bool
    /// The methods by name; those written in Lua are put here too.
    let methods: LuaTable
    /// The getters of properties by name, likewise.
    let getters: LuaTable
    /// Registry reference of the metatable, held for the life of the state.
    let metatable: Int32

    init(
        name: String, members: [LuaMember], byteCount: ((AnyObject) -> Int)?,
        isInstance: @escaping (AnyObject) -> Bool, methods: LuaTable, getters: LuaTable,
        metatable: Int32
    ) {
        self.name = name
        self.members = members
        self.byteCount = byteCount
        self.isInstance = isInstance
        self.methods = methods
        self.getters = getters
        self.metatable = metatable
    }
}

extension LuaState {
    /// Lets scripts use the objects of a class; registering it again has no effect.
    public func register<Object: AnyObject>(_ luaClass: LuaClass<Object>) throws {
        guard classes[ObjectIdentifier(Object.self)] == nil else { return }
        try balanced {
            try reserve(12)
            try pushFunctions(of: luaClass, .method)
            let methods = LuaTable(reference: try reference(at: -1))
            try pushFunctions(of: luaClass, .getter)
            let getters = LuaTable(reference: try reference(at: -1))
            try pushFunctions(of: luaClass, .setter)
            try pushIndexFallback(luaClass)
            try pushAssignmentFallback(luaClass)
            let name = Array(luaClass.name.utf8CString)
            try check(name.withUnsafeBufferPointer { moon_push_class(current, $0.baseAddress, $0.count - 1) })
            for definition in luaClass.definitions where definition.kind == .metamethod {
                try assign(definition.key, try makeFunction(definition))
            }
            let address = lua_topointer(current, -1)
            var metatable: Int32 = 0
            try check(moon_reference(current, &metatable))
            let record = ClassRecord(
                name: luaClass.name, members: Self.members(of: luaClass), byteCount: luaClass.byteCount,
                isInstance: { $0 is Object }, methods: methods,
                getters: getters, metatable: metatable)
            classes[ObjectIdentifier(Object.self)] = record
            if let address { classesByMetatable[address] = record }
        }
    }

    /// The methods of a registered class by name: a function put into this table is a method written in Lua, which
    /// is called with the object first.
    public func methods<Object: AnyObject>(of type: Object.Type) throws -> LuaTable {
        guard let record = classes[ObjectIdentifier(type)] else {
            throw ArgumentFailure.unregisteredClass(name: String(describing: type))
        }
        return record.methods
    }

    /// The getters of a registered class by property name: a function put into this table computes a property in Lua
    /// from the object.
    public func getters<Object: AnyObject>(of type: Object.Type) throws -> LuaTable {
        guard let record = classes[ObjectIdentifier(type)] else {
            throw ArgumentFailure.unregisteredClass(name: String(describing: type))
        }
        return record.getters
    }

    /// Pushes a userdata that holds `object`.
    /// - Throws: `ArgumentFailure.unregisteredClass`; `LuaFailure` without memory.
    func push(object: AnyObject) throws {
        try reserve(1)
        guard let record = classes[ObjectIdentifier(type(of: object))] ?? classes.values.first(where: { $0.isInstance(object) })
        else { throw ArgumentFailure.unregisteredClass(name: String(describing: type(of: object))) }
        let retained = Unmanaged.passRetained(object)
        let byteCount = max(0, record.byteCount?(object) ?? 0)
        let status = moon_push_object(current, host, record.metatable, retained.toOpaque(), byteCount)
        if status != LUA_OK {
            retained.release()
            throw takeFailure(status: status)
        }
    }

    /// A Lua value that holds `object`, whose class was registered.
    public func object(_ object: AnyObject) throws -> LuaValue {
        try push(object: object)
        return try popValue()
    }

    // MARK: Names

    /// The name under which scripts know a class.
    func className(of type: (some AnyObject).Type) -> String {
        classes[ObjectIdentifier(type)]?.name ?? String(describing: type)
    }

    func className(at index: Int32) -> String? { record(at: index)?.name }

    /// The class of a userdata, open or closed; `nil` for a foreign one. Needs a free stack slot.
    func record(at index: Int32) -> ClassRecord? {
        guard let block = moon_object(current, index), let metatable = block.pointee.metatable else { return nil }
        return classesByMetatable[metatable]
    }

    // MARK: Making a metatable

    private func makeFunction(_ definition: MemberDefinition) throws -> LuaFunction {
        try pushFunction(definition.functionName, receiverCount: definition.receiverCount, definition.body)
        defer { pop() }
        return LuaFunction(reference: try reference(at: -1))
    }

    private func pushFunctions(of luaClass: LuaClass<some AnyObject>, _ kind: MemberDefinition.Kind) throws {
        try pushTable()
        for definition in luaClass.definitions where definition.kind == kind {
            try assign(definition.key, try makeFunction(definition))
        }
    }

    private static func members(of luaClass: LuaClass<some AnyObject>) -> [LuaMember] {
        luaClass.definitions.compactMap { definition in
            switch definition.kind {
            case .method: LuaMember(name: definition.key, kind: .method)
            case .getter: LuaMember(name: definition.key, kind: .property)
            case .setter, .metamethod: nil
            }
        }.sorted { $0.name < $1.name }
    }

    /// Runs for `object[key]` where no method or property has that name.
    private func pushIndexFallback<Object: AnyObject>(_ luaClass: LuaClass<Object>) throws {
        let (name, element) = (luaClass.name, luaClass.element)
        try pushFunction(name, receiverCount: 1) { call in
            if let element, call.isNumber(1) {
                return try element(call, call.object(0, "self", as: Object.self), call.integer(1, "index"))
            }
            let key = try call.text(1)
            // Members written in Lua came later than this function.
            let record = call.state.classes[ObjectIdentifier(Object.self)]
            let names = try record.map { try call.state.members(of: $0) }?.map(\.name) ?? []
            throw ArgumentFailure.unknownMember(className: name, member: key, nearest: nearestName(to: key, among: names))
        }
    }

    /// Runs for `object[key] = value` where no property that can be set has that name. The value is argument 2.
    private func pushAssignmentFallback<Object: AnyObject>(_ luaClass: LuaClass<Object>) throws {
        let (name, setElement) = (luaClass.name, luaClass.setElement)
        let names = Self.members(of: luaClass).map(\.name)
        try pushFunction(name, receiverCount: 1) { call in
            if let setElement, call.isNumber(1) {
                let (object, index) = (try call.object(0, "self", as: Object.self), try call.integer(1, "index"))
                return try call.state.withBorrow(of: object, exclusive: true, by: name) { try setElement(call, $0, index) }
            }
            let key = try call.text(1)
            if names.contains(key) { throw ArgumentFailure.readOnly(className: name, member: key) }
            throw ArgumentFailure.unknownMember(className: name, member: key, nearest: nearestName(to: key, among: names))
        }
    }
}
