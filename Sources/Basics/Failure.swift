/// What every error of Moonrail can say about itself: a stable code for programs, one sentence for people.
///
/// Each module has one error enum whose payload is the operation and the real shapes or paths. Whatever a script,
/// a file or a command line can cause is thrown as a `Failure`; `precondition` is for broken invariants only.
public protocol Failure: Error, CustomStringConvertible {
    /// A stable identifier such as `tensor.shapeMismatch`.
    var code: String { get }
    /// One sentence: what, where, and what was got instead.
    var description: String { get }
}

/// A failure together with where it happened, outermost first: `resnet20 › stage2.block1.conv2 › conv2d`.
public struct LocatedFailure: Failure {
    public let path: [String]
    public let underlying: any Error

    public init(path: [String], underlying: any Error) {
        self.path = path
        self.underlying = underlying
    }

    public var code: String { (underlying as? any Failure)?.code ?? "unknown" }
    public var description: String { path.joined(separator: " › ") + ": " + String(describing: underlying) }
}

/// Runs `body`; a failure inside gets `place` put before its path.
package func located<Result>(_ place: @autoclosure () -> String, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let failure as LocatedFailure {
        throw LocatedFailure(path: [place()] + failure.path, underlying: failure.underlying)
    } catch let failure as Interrupted {
        throw failure
    } catch {
        throw LocatedFailure(path: [place()], underlying: error)
    }
}
