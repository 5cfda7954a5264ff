import Basics
import LuaRuntime
import Synchronization
import Testing

/// A class to show to scripts; it counts how many of its objects are alive, and can pretend to be large.
final class Counter: LuaObjectConvertible {
    final class Census { var alive = 0 }
    let census: Census
    var value: Int
    init(_ value: Int, census: Census = Census()) {
        self.value = value
        self.census = census
        census.alive += 1
    }
    deinit { census.alive -= 1 }
}

/// A second class, to be mistaken for the first.
final class Stranger: LuaObjectConvertible {}

/// What a Swift function throws in these tests.
enum DemoFailure: Failure {
    case broken(String)
    var code: String { "demo.broken" }
    var description: String {
        switch self {
        case .broken(let what): "demo: \(what) is broken"
        }
    }
}

extension LuaState {
    /// A state with `Counter`, `Stranger`, and the functions the suites call.
    static func forTests(_ options: LuaOptions = LuaOptions(), census: Counter.Census = .init()) throws -> LuaState {
        let state = try LuaState(options)
        try state.register(counterClass)
        try state.register(LuaClass<Stranger>("Stranger"))
        try state.define("counter") { call in Counter(try call.optionalInteger(1, "value") ?? 0, census: census) }
        try state.define("stranger") { _ in Stranger() }
        try state.define("add") { call in try call.integer(1, "a") + call.integer(2, "b") }
        try state.define("fail") { call in throw DemoFailure.broken(try call.optionalString(1, "what") ?? "it") }
        try state.define("apply") { call in
            for value in try call.function(1, "f").call(with: call.values(from: 2)) { try call.push(value) }
        }
        return state
    }

    func define(_ name: String, _ body: @escaping LuaFunctionBody) throws {
        try globals.rawSet(name, function(name, body))
    }

    func define<Result: LuaConvertible>(_ name: String, _ body: @escaping (borrowing LuaCall) throws -> Result) throws {
        try globals.rawSet(name, function(name, body))
    }

    /// The first result of a chunk.
    func first(_ text: String) throws -> LuaValue { try run(text).first ?? .nil }

    /// The failure of a chunk that must fail.
    func failure(_ text: String, _ location: SourceLocation = #_sourceLocation) throws -> LuaFailure {
        try #require(#expect(throws: LuaFailure.self, sourceLocation: location) { try self.run(text) })
    }

    private static var counterClass: LuaClass<Counter> {
        LuaClass("Counter") { members in
            members.property("value", get: { $0.value }, set: { call, counter in counter.value = try call.integer(1, "value") })
            members.property("twice") { $0.value * 2 }
            members.method("plus") { call, counter in counter.value + (try call.integer(1, "amount")) }
            members.method("each") { call, counter in
                try call.borrow(0, "self", as: Counter.self) { counter in
                    let visit = try call.function(1, "visit")
                    for i in 1...max(1, counter.value) { try visit(i) }
                }
            }
            members.mutatingMethod("increase_") { call, counter in
                counter.value += 1
                if let visit = try call.optionalFunction(1, "visit") { try visit() }
            }
            members.metamethod(.add) { call in
                let sum = try call.object(1, "a", as: Counter.self).value + call.object(2, "b", as: Counter.self).value
                try call.push(Counter(sum))
            }
            members.callable { call, counter in try call.push(counter.value * call.integer(1, "factor")) }
            members.length { $0.value }
            members.text { "Counter(\($0.value))" }
            members.elements { call, counter, index in try call.push(counter.value + index) }
            members.byteCount { $0.value > 1_000_000 ? $0.value : 0 }
        }
    }
}
