import Basics
import Operations
import Tensors

/// A whole number in a shape: `constant + perSample · N`, with N the number of samples, which stays open.
///
/// Exporters write shape arithmetic into their graphs (Shape, Gather, Concat, Reshape). Worked out on numbers of this
/// kind, all of it disappears at import.
struct Extent: Hashable, CustomStringConvertible {
    var constant: Int
    var perSample: Int

    init(_ constant: Int, perSample: Int = 0) {
        self.constant = constant
        self.perSample = perSample
    }

    static let batch = Extent(0, perSample: 1)

    /// The number, where it does not depend on N.
    var fixed: Int? { perSample == 0 ? constant : nil }

    var description: String {
        guard perSample != 0 else { return "\(constant)" }
        let multiple = perSample == 1 ? "N" : "\(perSample)·N"
        return constant == 0 ? multiple : "\(multiple)+\(constant)"
    }

    /// The extent that is `two` for two samples and `three` for three.
    init(two: Int, three: Int) {
        perSample = three - two
        constant = two - 2 * perSample
    }

    /// What `operation` gives of two numbers; `nil` where that is no number of this kind or overflows.
    static func combine(_ a: Extent, _ b: Extent, _ operation: ArithmeticKind) -> Extent? {
        switch operation {
        case .add: return sum(a, b)
        case .subtract: return product(b, Extent(-1)).flatMap { sum(a, $0) }
        case .multiply: return product(a, b)
        case .divide:
            guard let divisor = b.fixed, divisor != 0 else { return quotient(a, b) }
            if let dividend = a.fixed { return divisor == -1 ? product(a, b) : Extent(dividend / divisor) }
            // The sign first: −1 divides the least number of all without a remainder, and yet has no quotient of it.
            guard divisor > 0, a.constant % divisor == 0, a.perSample % divisor == 0 else { return nil }
            return Extent(a.constant / divisor, perSample: a.perSample / divisor)
        case .modulo:
            guard let x = a.fixed, let y = b.fixed, y > 0, x >= 0 else { return nil }
            return Extent(x % y)
        case .maximum: return choose(a, b, >)
        case .minimum: return choose(a, b, <)
        case .equal: return equal(a, b).map { Extent($0 ? 1 : 0) }
        }
    }

    enum ArithmeticKind { case add, subtract, multiply, divide, modulo, maximum, minimum, equal }

    private static func sum(_ a: Extent, _ b: Extent) -> Extent? {
        let constant = a.constant.addingReportingOverflow(b.constant)
        let multiple = a.perSample.addingReportingOverflow(b.perSample)
        return constant.overflow || multiple.overflow ? nil : Extent(constant.partialValue, perSample: multiple.partialValue)
    }

    private static func product(_ a: Extent, _ b: Extent) -> Extent? {
        guard let factor = b.fixed ?? a.fixed else { return nil }
        let other = b.fixed == nil ? b : a
        let constant = other.constant.multipliedReportingOverflow(by: factor)
        let multiple = other.perSample.multipliedReportingOverflow(by: factor)
        return constant.overflow || multiple.overflow ? nil : Extent(constant.partialValue, perSample: multiple.partialValue)
    }

    /// a / b where a is a multiple of b and b depends on N.
    private static func quotient(_ a: Extent, _ b: Extent) -> Extent? {
        guard b.perSample != 0, b.perSample != -1, a.perSample % b.perSample == 0 else { return nil }
        let factor = Extent(a.perSample / b.perSample)
        return product(b, factor) == a ? factor : nil
    }

    private static func choose(_ a: Extent, _ b: Extent, _ isBetter: (Int, Int) -> Bool) -> Extent? {
        guard let x = a.fixed, let y = b.fixed else { return nil }
        return isBetter(x, y) ? a : b
    }

    /// Numbers with N in them differ from numbers that N never reaches, such as −1.
    private static func equal(_ a: Extent, _ b: Extent) -> Bool? {
        if a == b { return true }
        guard a.perSample != b.perSample else { return false }
        let (open, other) = a.perSample != 0 ? (a, b) : (b, a)
        guard let number = other.fixed, open.perSample > 0, let least = sum(Extent(open.constant), Extent(open.perSample))
        else { return nil }
        return number < least.constant ? false : nil
    }

    /// The product of a shape's extents; `nil` where two of them depend on N.
    static func count(_ extents: some Sequence<Extent>) -> Extent? {
        var result: Extent? = Extent(1)
        for extent in extents { result = result.flatMap { product($0, extent) } }
        return result
    }
}

/// What is known of a value while a file is read.
enum ONNXValue {
    /// A tensor that does not depend on the input.
    case constant(ONNXConstant)
    /// Whole numbers that may depend on N: a vector, or a scalar.
    case extents([Extent], isScalar: Bool)
    /// A value of the graph that is being built.
    case value(String)
    /// What an operator that is not supported would make; nothing behind it can be read.
    case unknown
}

/// A tensor from the file, or worked out from such.
struct ONNXConstant {
    let tensor: Tensor
    /// The name in the file.
    let name: String
    /// What was done to it; the same name, form and shape are the same tensor.
    let form: String
    /// Whether the file calls it a weight rather than a constant of the computation.
    let isInitializer: Bool

    init(_ tensor: Tensor, name: String, form: String = "", isInitializer: Bool = false) {
        self.tensor = tensor
        self.name = name
        self.form = form
        self.isInitializer = isInitializer
    }

    /// The same weight in another form, which `change` names.
    func changed(_ tensor: Tensor, _ change: String) -> ONNXConstant {
        ONNXConstant(tensor, name: name, form: form + change, isInitializer: isInitializer)
    }

    var key: String { "\(name)\u{0}\(form)\u{0}\(tensor.shape)" }

    /// The most numbers that shape arithmetic is done on; no shape has nearly as many.
    static let extentLimit = 4096

    /// Whole numbers for shape arithmetic: int64 scalars and vectors of reasonable length.
    var extents: (elements: [Extent], isScalar: Bool)? {
        guard tensor.dtype == .int64, tensor.rank <= 1, tensor.elementCount <= Self.extentLimit,
            let numbers = try? tensor.array(of: Int64.self)
        else { return nil }
        return (numbers.map { Extent(Int($0)) }, tensor.rank == 0)
    }
}
