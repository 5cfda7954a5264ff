public import Basics

/// A script called a function with something that it does not take.
public enum ArgumentFailure: Failure {
    case wrongType(function: String, place: String, expected: String, got: String)
    case invalid(function: String, place: String, reason: String)
    /// A table that should be an array has the integer `key`, but none at `missing`; `nil` where `key` is below 1.
    case notArray(place: String, key: Int, missing: Int?)
    case missing(function: String, place: String, expected: String)
    case unknownOption(function: String, option: String, nearest: String?)
    case closed(function: String, className: String)
    case busy(function: String, className: String)
    case unknownMember(className: String, member: String, nearest: String?)
    case readOnly(className: String, member: String)
    case unregisteredClass(name: String)

    public var code: String {
        switch self {
        case .wrongType, .invalid, .notArray, .missing: "lua.argument"
        case .unknownOption: "lua.unknownOption"
        case .closed: "lua.closed"
        case .busy: "lua.busy"
        case .unknownMember: "lua.unknownMember"
        case .readOnly: "lua.readOnly"
        case .unregisteredClass: "lua.unregisteredClass"
        }
    }

    public var description: String {
        switch self {
        case .wrongType(let function, let place, let expected, let got):
            "\(function): \(place) must be \(expected), got \(got)"
        case .invalid(let function, let place, let reason): "\(function): \(place) \(reason)"
        case .notArray(let place, let key, let missing):
            "\(place) has an element at \(key)\(missing.map { ", but none at \($0)" } ?? ""); "
                + "an array has its elements at 1, 2, 3 and so on, without a gap"
        case .missing(let function, let place, let expected): "\(function): \(place) is missing (\(expected))"
        case .unknownOption(let function, let option, let nearest):
            "\(function): unknown option '\(option)'" + didYouMean(nearest)
        case .closed(let function, let className): "\(function): \(className) was closed"
        case .busy(let function, let className):
            "\(function): \(className) is in use by a function that has not returned yet, or was given to a method that changes it"
        case .unknownMember(let className, let member, let nearest):
            "\(className) has no member '\(member)'" + didYouMean(nearest)
        case .readOnly(let className, let member): "\(className).\(member) cannot be set"
        case .unregisteredClass(let name): "objects of \(name) have no Lua form"
        }
    }

}
