import Glibc
import Operations
import Tensors
import Testing

/// Activations by formulas that vectorise, against the functions of the C library in double precision.
@Suite struct SmoothFunctionTests {
    static let functions: [(any GraphOperation, @Sendable (Double) -> Double)] = [
        (Sigmoid(), { 1 / (1 + exp(-$0)) }), (Tanh(), { tanh($0) }), (ErrorFunction(), { erf($0) }),
        (GELU(), { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) }),
    ]

    /// Relative where the value is not small beside x or 1: GELU's far left cancels, as it does everywhere in float32.
    @Test(arguments: functions.indices) func agreesWithTheLibrary(_ index: Int) throws {
        let (operation, function) = Self.functions[index]
        let places = stride(from: Float(-30), through: 30, by: 0.0037).map { $0 } + [1e-30, -1e-6, 1e-3, 0.2499, 0.25, 0.4999, 0.5]
        let got = try operation.evaluate([Tensor(places)], .inference).outputs[0].array(of: Float.self)
        for (x, y) in zip(places, got) {
            let exact = function(Double(x))
            let scale = operation is GELU ? max(abs(exact), 0.3) : operation is Sigmoid ? max(exact, 1e-30) : abs(exact)
            #expect(abs(Double(y) - exact) <= 2e-6 * scale + 1e-37, "\(operation.name)(\(x)) = \(y), not \(exact)")
        }
    }

    @Test func extremesStayInRange() throws {
        let x = try Tensor([-.infinity, -1e30, -100, 100, 1e30, .infinity, .nan] as [Float])
        let sigmoid = try Sigmoid().evaluate([x], .inference).outputs[0].array(of: Float.self)
        #expect(sigmoid[..<6] == [0, 0, 0, 1, 1, 1] && sigmoid[6].isNaN)
        let tanh = try Tanh().evaluate([x], .inference).outputs[0].array(of: Float.self)
        #expect(tanh[..<6] == [-1, -1, -1, 1, 1, 1] && tanh[6].isNaN)
        let softmax = try Softmax().evaluate([Tensor([1000, 0, -1000] as [Float])], .inference).outputs[0].array(of: Float.self)
        #expect(softmax == [1, 0, 0])
    }
}
