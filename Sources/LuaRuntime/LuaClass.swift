/// How scripts see the objects of a Swift class: their methods, properties and operators.
///
///     let tensor = LuaClass<Tensor>("Tensor") { members in
///         members.property("shape") { $0.shape }
///         members.method("norm") { call, tensor in tensor.norm() }
///         members.metamethod(.add) { call in
///             try call.push(call.object(1, "a", as: Tensor.self) + call.object(2, "b", as: Tensor.self))
///         }
///     }
///     try state.register(tensor)
///
/// Each push of an object makes a userdata that holds one retained reference; two of them are equal (`==`) when
/// they hold the same object, but are different keys of a table. `local x <close> = …` releases its reference at the
/// end of the scope; using it afterwards is an error.
public final class LuaClass<Object: AnyObject> {
    public let name: String
    var definitions: [MemberDefinition] = []
    var byteCount: ((AnyObject) -> Int)?
    var element: ((borrowing LuaCall, Object, Int) throws -> Void)?
    var setElement: ((borrowing LuaCall, Object, Int) throws -> Void)?

    public init(_ name: String, _ define: (LuaClass) -> Void = { _ in }) {
        self.name = name
        define(self)
    }

    // MARK: Methods

    /// A method `object:name(…)` that pushes its results. The receiver is not counted among the arguments.
    public func method(_ method: String, _ body: @escaping (borrowing LuaCall, Object) throws -> Void) {
        define(.method, method, "\(name):\(method)", receiverCount: 1) { call in
            try body(call, call.object(0, "self", as: Object.self))
        }
    }

    /// A method that returns its one result.
    public func method<Result: LuaConvertible>(
        _ method: String, _ body: @escaping (borrowing LuaCall, Object) throws -> Result
    ) {
        self.method(method) { call, object in try call.push(body(call, object)) }
    }

    /// A method that changes the object, which nobody else may use until it returns.
    public func mutatingMethod(_ method: String, _ body: @escaping (borrowing LuaCall, Object) throws -> Void) {
        self.method(method) { call, object in
            try call.state.withBorrow(of: object, exclusive: true, by: call.functionName) { try body(call, $0) }
            call.recount(object)
        }
    }

    // MARK: Properties

    /// A property `object.name` that scripts can read.
    public func property<Value: LuaConvertible>(_ property: String, get: @escaping (Object) throws -> Value) {
        define(.getter, property, "\(name).\(property)", receiverCount: 1) { call in
            try call.push(get(call.object(0, "self", as: Object.self)))
        }
    }

    /// A property that scripts can also set; `set` reads the new value as argument 1.
    public func property<Value: LuaConvertible>(
        _ property: String, get: @escaping (Object) throws -> Value,
        set: @escaping (borrowing LuaCall, Object) throws -> Void
    ) {
        self.property(property, get: get)
        define(.setter, property, "\(name).\(property)", receiverCount: 1) { call in
            let object = try call.object(0, "self", as: Object.self)
            try call.state.withBorrow(of: object, exclusive: true, by: call.functionName) { try set(call, $0) }
            call.recount(object)
        }
    }

    // MARK: Operators

    /// An operator or other metamethod, with its operands as arguments 1 and 2.
    public func metamethod(_ metamethod: LuaMetamethod, _ body: @escaping LuaFunctionBody) {
        define(.metamethod, metamethod.rawValue, "\(name)\(metamethod.label)", receiverCount: 0, body)
    }

    /// Makes objects callable: `object(…)`, with the arguments counted from 1.
    public func callable(_ body: @escaping (borrowing LuaCall, Object) throws -> Void) {
        define(.metamethod, LuaMetamethod.call.rawValue, name, receiverCount: 1) { call in
            try body(call, call.object(0, "self", as: Object.self))
        }
    }

    /// What `tostring` and `print` show.
    public func text(_ body: @escaping (Object) throws -> String) {
        metamethod(.tostring) { call in try call.push(body(call.object(1, "self", as: Object.self))) }
    }

    /// What `#` gives.
    public func length(_ body: @escaping (Object) throws -> Int) {
        metamethod(.len) { call in try call.push(body(call.object(1, "self", as: Object.self))) }
    }

    /// What `object[i]` gives for an integer; counted from 1, and checked, by `get`, which pushes the element.
    public func elements(
        get: @escaping (borrowing LuaCall, Object, Int) throws -> Void,
        set: ((borrowing LuaCall, Object, Int) throws -> Void)? = nil
    ) {
        element = get
        setElement = set
    }

    /// The bytes that an object keeps outside the Lua heap, charged to the collector for each userdata, and counted anew
    /// when a method has changed the object.
    public func byteCount(_ body: @escaping (Object) -> Int) {
        byteCount = { object in (object as? Object).map(body) ?? 0 }
    }

    private func define(
        _ kind: MemberDefinition.Kind, _ key: String, _ functionName: String, receiverCount: Int32,
        _ body: @escaping LuaFunctionBody
    ) {
        definitions.append(
            MemberDefinition(
                kind: kind, key: key, functionName: functionName, receiverCount: receiverCount, body: body))
    }
}

/// One function of a class.
struct MemberDefinition {
    enum Kind { case method, getter, setter, metamethod }
    let kind: Kind
    let key: String
    let functionName: String
    let receiverCount: Int32
    let body: LuaFunctionBody
}

/// The metamethods that a class may define. `__index`, `__newindex`, `__gc` and `__close` are the host's.
public enum LuaMetamethod: String, Sendable, CaseIterable {
    case add = "__add"
    case subtract = "__sub"
    case multiply = "__mul"
    case divide = "__div"
    case floorDivide = "__idiv"
    case modulo = "__mod"
    case power = "__pow"
    case negate = "__unm"
    case concat = "__concat"
    case len = "__len"
    case equal = "__eq"
    case less = "__lt"
    case lessOrEqual = "__le"
    case call = "__call"
    case tostring = "__tostring"
    case pairs = "__pairs"

    /// How messages name it: `Tensor '+'`.
    var label: String {
        switch self {
        case .add: " '+'"
        case .subtract, .negate: " '-'"
        case .multiply: " '*'"
        case .divide: " '/'"
        case .floorDivide: " '//'"
        case .modulo: " '%'"
        case .power: " '^'"
        case .concat: " '..'"
        case .len: " '#'"
        case .equal: " '=='"
        case .less: " '<'"
        case .lessOrEqual: " '<='"
        case .call: ""
        case .tostring: " tostring"
        case .pairs: " pairs"
        }
    }
}
