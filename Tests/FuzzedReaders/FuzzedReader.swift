public import Basics
import Tensors

/// A reader of what strangers made, as the fuzz program and a test call it: bytes go in, and either they are taken or they
/// are refused with words. Anything else is a fault.
public struct FuzzedReader: Sendable {
    public let name: String
    /// What the bytes are, in a few words.
    public let summary: String
    /// The most bytes of an input: enough for all that its format has, because short inputs are read often.
    public let longest: Int
    private let make: @Sendable () throws -> (([UInt8]) throws -> Void)

    /// - Parameter make: gives what reads an input, with what all inputs share, such as an interpreter.
    init(_ name: String, _ summary: String, longest: Int = 4096, make: @escaping @Sendable () throws -> (([UInt8]) throws -> Void)) {
        (self.name, self.summary, self.longest, self.make) = (name, summary, longest, make)
    }

    /// A reader that has nothing to share between inputs.
    init(_ name: String, _ summary: String, longest: Int = 4096, read: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.init(name, summary, longest: longest, make: { read })
    }

    /// All of them; `scripts/fuzz` lists the same names.
    public static let all = fileReaders + scriptReaders

    /// Gets ready to read inputs.
    public func open() throws -> Session { Session(read: try make()) }

    public enum Outcome {
        case accepted
        case refused(any Failure)
    }

    /// A reader at work.
    public struct Session {
        /// Enough for every sound file of a few kilobytes, and little enough that promises of more are refused at once.
        static let memoryLimit = 48 << 20
        let read: ([UInt8]) throws -> Void

        /// - Throws: `Misreading`, and any error that is no `Failure`.
        public func attempt(_ bytes: [UInt8]) throws -> Outcome {
            // A context of its own, whose memory goes back after each input: blocks that were kept would hide an access to
            // one that is free.
            do {
                try ComputeContext(threadCount: 1, memoryLimit: Self.memoryLimit).run { try read(bytes) }
                return .accepted
            } catch let misreading as Misreading {
                throw misreading
            } catch let failure as any Failure {
                return .refused(failure)
            }
        }
    }
}

/// What a reader must not do although no memory is harmed by it.
public struct Misreading: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
