package import Basics

/// Random orders that a seed fixes for good: the standard library does not promise that its `shuffle` stays the same.
package enum SampleOrder {
    /// The numbers 0 ..< count in random order.
    /// - Reference: R. Durstenfeld, *Algorithm 235: Random permutation*, CACM 7(7), 1964, doi:10.1145/364520.364540.
    package static func shuffled(_ count: Int, using random: inout RandomSource) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, below(last + 1, using: &random))
        }
        return order
    }

    /// A whole number in 0 ..< bound: the high word of a product with 64 random bits, whose bias, bound / 2⁶⁴, is far
    /// below what any experiment could see.
    package static func below(_ bound: Int, using random: inout RandomSource) -> Int {
        Int(random.next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
