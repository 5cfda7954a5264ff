package import Tensors

/// A function that treats every element of its one input alike, such as an activation.
///
/// How each reader of graphs has it stands here as plain data, so that a new function is one file, listed in
/// `OperationCatalog`: compiled programs, both directions of ONNX, PyTorch's modules, layers and methods in Lua follow.
package protocol ElementFunction: GraphOperation {
    /// What scripts get where no option says otherwise.
    static var usual: Self { get }

    /// The kernel that computes it behind a convolution or over a whole activation; `nil` where `evaluate` does.
    var kernel: ActivationFunction? { get }

    /// The operator of ONNX that it is read from; `nil` where ONNX has none, or one that takes more than attributes.
    static var onnxOperator: ONNXOperator? { get }

    /// How it is written to ONNX where that is not `onnxOperator`: the opset that is written may lack it.
    var onnxFormula: ONNXFormula? { get }

    /// The expression of Python that applies it to `x`, with `torch` and `torch.nn.functional` as `F`.
    func pyTorch(_ x: String) -> String

    /// How scripts have it; `nil` where they do not.
    static var script: ScriptFunction? { get }
}

extension ElementFunction {
    package var onnxFormula: ONNXFormula? { nil }
}

extension ElementFunction where Self: PlainOperation {
    package static var usual: Self { Self() }
}

/// An operator of ONNX with one input, and what its attributes are here.
package struct ONNXOperator: Sendable {
    package enum Parameter: Sendable {
        /// A number, and the one that is meant where it is missing.
        case number(String, attribute: String, default: Double)
        /// One of two words, of which `off` is meant where it is missing.
        case flag(String, attribute: String, on: String, off: String)
    }

    package let name: String
    package let parameters: [Parameter]

    package init(_ name: String, _ parameters: [Parameter] = []) {
        self.name = name
        self.parameters = parameters
    }
}

/// An operator of ONNX applied to x, to numbers and to what other operators make of them.
package struct ONNXFormula: Sendable {
    package enum Input: Sendable {
        case x
        /// A constant, whose name in the file ends in the word.
        case number(String, Float)
        case made(ONNXFormula)
    }

    package let name: String
    package let inputs: [Input]
    package let attributes: [String: AttributeValue]

    package init(_ name: String, _ inputs: [Input], _ attributes: [String: AttributeValue] = [:]) {
        self.name = name
        self.inputs = inputs
        self.attributes = attributes
    }
}

/// How scripts have a function of one element.
package struct ScriptFunction: Sendable {
    /// Its name in `mr.nn`, and that of the methods.
    package let name: String
    /// Whether networks have it as a layer, `mr.nn.name`: the options that the description of the API gives it are
    /// attributes, all others are the usual ones.
    package let isLayer: Bool
    /// Whether tensors, and values inside networks, have it as a method.
    package let isMethod: Bool

    package init(_ name: String, isLayer: Bool, isMethod: Bool) {
        self.name = name
        self.isLayer = isLayer
        self.isMethod = isMethod
    }
}
