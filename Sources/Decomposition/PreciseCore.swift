import Tensors

/// A core [r, n, r′] in float64.
struct PreciseCore {
    let left: Int
    let mode: Int
    let right: Int
    /// The elements in order, in rows of any length.
    private let elements: PreciseMatrix

    init(_ elements: PreciseMatrix, left: Int, mode: Int, right: Int) {
        (self.elements, self.left, self.mode, self.right) = (elements, left, mode, right)
    }

    init(_ core: Tensor) throws {
        self.init(
            try PreciseMatrix(core, rows: core.shape[0], columns: core.shape[1] * core.shape[2]), left: core.shape[0],
            mode: core.shape[1], right: core.shape[2])
    }

    /// [r·n, r′].
    var tall: PreciseMatrix { elements.reshaped(rows: left * mode, columns: right) }
    /// [r, n·r′].
    var wide: PreciseMatrix { elements.reshaped(rows: left, columns: mode * right) }

    /// [r′, n, r].
    func mirrored() throws -> PreciseCore {
        let result = try PreciseMatrix(rows: right, columns: mode * left)
        elements.withElements { source in
            result.withElements { target in
                for a in 0..<left {
                    for i in 0..<mode {
                        for b in 0..<right { target[(b * mode + i) * left + a] = source[(a * mode + i) * right + b] }
                    }
                }
            }
        }
        return PreciseCore(result, left: right, mode: mode, right: left)
    }

    /// M [m, r] times the core.
    func multiplied(fromLeft matrix: PreciseMatrix) throws -> PreciseCore {
        PreciseCore(try matrix.product(wide), left: matrix.rows, mode: mode, right: right)
    }

    /// The core times 2⁻ᵉ, so that its largest element is ½ to 1, and e.
    func normalized() throws -> (core: PreciseCore, exponent: Int) {
        let exponent = PowerOfTwo.exponent(of: elements.largest)
        return (try multiplied(byPowerOfTwo: -exponent), exponent)
    }

    func multiplied(byPowerOfTwo exponent: Int) throws -> PreciseCore {
        guard exponent != 0 else { return self }
        return PreciseCore(try elements.multiplied(byPowerOfTwo: exponent), left: left, mode: mode, right: right)
    }

    /// The core in float32, and per index of r′ the energy that rounding lost.
    func narrowed() throws -> (core: Tensor, lost: [Double]) {
        let (tensor, lost) = try tall.narrowed([left, mode, right])
        return (tensor, lost)
    }
}
