/// How this module calls LAPACK: sizes as it takes them, scratch memory that the ledger counts, and what its answer means.
///
/// Sizes go through `integer` and lengths of scratch through `scratchLength` before a routine sees them, so that none has an
/// argument to refuse, and LAPACK's own line about one (`xerbla`) is never printed.
package enum LAPACK {
    /// A size as LAPACK takes it.
    /// - Throws: `invalidArgument` for one beyond 32 bits.
    package static func integer(_ value: Int, _ operation: String) throws -> Int32 {
        guard let number = Int32(exactly: value) else {
            throw TensorFailure.invalidArgument(
                operation: operation, detail: "LAPACK takes sizes up to \(Int32.max), but got \(value); use a smaller matrix")
        }
        return number
    }

    /// How much scratch to give to a routine that asked for `query` and whose documentation names `least`.
    ///
    /// The answer comes as a number of the matrix's own type, and a float32 may have been rounded down: whatever could have
    /// been rounded to it is given.
    /// - Throws: `invalidArgument` where even the least does not fit into 32 bits.
    package static func scratchLength<Real: BinaryFloatingPoint>(
        query: Real, least: Int, _ operation: String
    ) throws -> Int32 {
        let smallest = try integer(least, operation)
        let isExact = query.magnitude < Real(sign: .plus, exponent: Real.Exponent(Real.significandBitCount + 1), significand: 1)
        let wanted = Double(isExact ? query.rounded(.up) : query.nextUp)
        return wanted >= Double(Int32.max) ? .max : max(smallest, wanted > 0 ? Int32(wanted) : 0)
    }

    /// Reals and integers of scratch.
    struct Need {
        let reals: Int
        let integers: Int

        init(reals: Int, integers: Int = 0) { (self.reals, self.integers) = (reals, integers) }

        /// What `ssyevd` and `dsyevd` need for all vectors of a matrix of this order.
        static func eigenproblem(_ order: Int) -> Need { Need(reals: 1 + 6 * order + 2 * order * order, integers: 3 + 5 * order) }
        /// What `sgesdd` and `dgesdd` need for the thin factors of a matrix whose shorter side this is.
        static func singularValues(_ shorter: Int) -> Need {
            Need(reals: 4 * shorter * shorter + 7 * shorter, integers: 8 * shorter)
        }
    }

    /// Scratch, the numbers of its reals and integers, and where the routine leaves its answer.
    struct Call<Real> {
        let reals: UnsafeMutablePointer<Real>
        var realCount: Int32
        let integers: UnsafeMutablePointer<Int32>
        var integerCount: Int32
        var info: Int32 = 0
    }

    /// Calls a routine twice: to ask how much scratch it wants, and with that much.
    /// - Throws: `invalidArgument` where LAPACK refuses an argument, `noConvergence` where it does not converge,
    ///   `outOfMemory`.
    static func run<Real: BinaryFloatingPoint>(
        _ operation: String, _ shape: Shape, needs need: Need, _ routine: (inout Call<Real>) -> Void
    ) throws {
        // Refused here where it does not fit: the routine would compute its own sizes in 32 bits.
        _ = try integer(need.reals, operation)
        let integers = try Storage(byteCount: 4 * max(1, need.integers))
        let answer = try Storage(byteCount: MemoryLayout<Real>.stride)
        let whole = integers.pointer.assumingMemoryBound(to: Int32.self)
        let query = answer.pointer.assumingMemoryBound(to: Real.self)
        query.initialize(to: 0)
        var call = Call(reals: query, realCount: -1, integers: whole, integerCount: -1)
        withExtendedLifetime((integers, answer)) { OpenBLAS.call { routine(&call) } }
        try check(call.info, operation, shape)
        let length = try scratchLength(query: query.pointee, least: need.reals, operation)
        let reals = try Storage(byteCount: MemoryLayout<Real>.stride * Int(length))
        call = Call(
            reals: reals.pointer.assumingMemoryBound(to: Real.self), realCount: length, integers: whole,
            integerCount: try integer(max(1, need.integers), operation))
        withExtendedLifetime((integers, reals)) { OpenBLAS.call { routine(&call) } }
        try check(call.info, operation, shape)
    }

    /// - Throws: `invalidArgument` for a negative answer, which names an argument, and `noConvergence` for a positive one.
    package static func check(_ info: Int32, _ operation: String, _ shape: Shape) throws {
        if info < 0 {
            throw TensorFailure.invalidArgument(operation: operation, detail: "LAPACK refuses its argument \(-info) for a matrix \(shape)")
        }
        if info > 0 {
            throw TensorFailure.noConvergence(operation: operation, detail: "LAPACK did not converge on \(shape) (info \(info))")
        }
    }
}
