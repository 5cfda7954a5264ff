/// The extents of a tensor, outermost first. A scalar has none.
public struct Shape: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
    public let dims: [Int]

    /// The most dimensions that a tensor has, as in NumPy before version 2 and in its files.
    public static let rankLimit = 32

    public init(_ dims: [Int]) { self.dims = dims }
    public init(arrayLiteral elements: Int...) { dims = elements }

    public var rank: Int { dims.count }
    /// The product of the extents; 1 for a scalar.
    public var elementCount: Int { dims.reduce(1, *) }
    public subscript(_ dim: Int) -> Int { dims[dim] }
    /// The shape of one sample of a batch of this shape: without the first extent.
    public var sample: Shape { Shape(Array(dims.dropFirst())) }
    public var description: String { "[" + dims.map(String.init).joined(separator: ", ") + "]" }

    /// Row-major strides in elements.
    package var contiguousStrides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for d in stride(from: rank - 2, through: 0, by: -1) { strides[d] = strides[d + 1] * max(1, dims[d + 1]) }
        return strides
    }

    /// - Throws: `invalidArgument` when there are too many dimensions, an extent is negative or the number of bytes
    ///   overflows.
    package func validated(_ operation: String, elementBytes: Int) throws -> Shape {
        guard rank <= Self.rankLimit else {
            throw TensorFailure.invalidArgument(
                operation: operation, detail: "a shape of \(rank) dimensions has more than \(Self.rankLimit)")
        }
        var count = elementBytes
        for extent in dims {
            // An extent 0 must not hide absurd ones beside it: strides are products of them all.
            let (product, overflow) = count.multipliedReportingOverflow(by: max(1, extent))
            guard extent >= 0, !overflow, product < 1 << 50 else {
                throw TensorFailure.invalidArgument(
                    operation: operation, detail: "shape \(self) has a negative or absurdly large extent")
            }
            count = product
        }
        return self
    }

    /// The shape two operands broadcast to: aligned at the last dimension, extents equal or one of them 1.
    /// - Throws: `shapeMismatch` naming both shapes.
    public static func broadcast(_ a: Shape, _ b: Shape, operation: String) throws -> Shape {
        if a == b { return a }
        let rank = max(a.rank, b.rank)
        var dims = [Int](repeating: 1, count: rank)
        for d in 0..<rank {
            let x = d < rank - a.rank ? 1 : a[d - rank + a.rank]
            let y = d < rank - b.rank ? 1 : b[d - rank + b.rank]
            guard x == y || x == 1 || y == 1 else {
                throw TensorFailure.shapeMismatch(
                    operation: operation, detail: "lhs \(a) and rhs \(b) do not broadcast (\(x) ≠ \(y))")
            }
            dims[d] = x == 1 ? y : x
        }
        return Shape(dims)
    }

    /// A dimension counted from the front, or from the back when negative.
    package func dimension(_ dim: Int, _ operation: String) throws -> Int {
        let resolved = dim < 0 ? dim + rank : dim
        guard resolved >= 0, resolved < rank else {
            throw TensorFailure.indexOutOfRange(operation: operation, what: "dimension", index: dim, count: rank)
        }
        return resolved
    }
}
