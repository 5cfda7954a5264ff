import Basics

/// What a primitive is made for.
enum PrimitiveKey: Hashable, Sendable {
    case convolution(Convolution.Key)
    case pooling(Pooling.Key)
    case activation(ActivationFunction.Stage.Key)
    case reorder(Reorder.Key)
}

/// The primitives of a context by what they were made for. Threads that work for the context share them.
///
/// A handful of nets at a few batch sizes need a few hundred. A script that tries thousands of shapes drops those that
/// were not used for longest, and so neither grows the cache without bound nor costs what runs beside it its own.
package final class PrimitiveCache: Sendable {
    /// oneDNN settles how work is split when a primitive is made, so another thread count needs others.
    private struct Request: Hashable {
        let key: PrimitiveKey
        let threadCount: Int
    }

    private struct Entry {
        let primitive: Primitive
        var lastUse: Int
    }

    private struct Contents {
        var entries: [Request: Entry] = [:]
        var useCount = 0

        mutating func use(_ request: Request) -> Primitive? {
            useCount += 1
            guard let found = entries[request]?.primitive else { return nil }
            entries[request]?.lastUse = useCount
            return found
        }

        /// Drops the eighth that was not used for longest, so that the search for it is paid once for many new ones.
        mutating func makeRoom(below limit: Int) {
            guard entries.count >= limit else { return }
            let uses = entries.values.map(\.lastUse).sorted()
            let oldest = uses[limit / 8]
            entries = entries.filter { $0.value.lastUse >= oldest }
        }
    }

    static let limit = 1024
    private let contents = Guarded(Contents())

    /// The primitive for `key`, made by `make` where there is none yet.
    func primitive(for key: PrimitiveKey, make: () throws -> Primitive) throws -> Primitive {
        let request = Request(key: key, threadCount: Threads.count)
        if let found = contents.withLock({ $0.use(request) }) { return found }
        // Outside the lock, because it takes long; where two threads make the same, the first one stays.
        let made = try make()
        return contents.withLock { contents in
            if let found = contents.use(request) { return found }
            contents.makeRoom(below: Self.limit)
            contents.entries[request] = Entry(primitive: made, lastUse: contents.useCount)
            return made
        }
    }

    package var count: Int { contents.withLock { $0.entries.count } }
}
