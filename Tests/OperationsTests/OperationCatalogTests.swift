import Basics
import Operations
import Tensors
import Testing

@Suite(.serialized) struct OperationCatalogTests {
    @Test func namesAreUnique() {
        let names = OperationCatalog.all.map { $0.name }
        #expect(Set(names).count == names.count)
    }

    /// What a compiled program makes of an operation follows from what the operation is.
    @Test(arguments: GradientCase.all) func functionsOfOneElementSayThatTheyAre(_ example: GradientCase) throws {
        let traits = type(of: example.operation).traits
        #expect((traits.inference == .elementFunction) == (example.operation is any ElementFunction))
        guard let function = example.operation as? any ElementFunction else { return }
        #expect(try function.outputShapes(of: [[2, 3]]) == [[2, 3]])
        #expect(function.pyTorch("argument").contains("argument"))
        // What is read from a file is written to one, and no two functions are read from one operator or have one name.
        let type = Swift.type(of: function)
        #expect(type.onnxOperator != nil || function.onnxFormula != nil)
        let others = OperationCatalog.elementFunctions.filter { $0.name != type.name }
        #expect(type.onnxOperator.map { own in !others.contains { $0.onnxOperator?.name == own.name } } ?? true)
        #expect(type.script.map { own in !others.contains { $0.script?.name == own.name } } ?? true)
    }

    @Test(arguments: GradientCase.all) func attributesRoundTrip(_ example: GradientCase) throws {
        let operation = example.operation
        let made = try OperationCatalog.make(operation.name, operation.attributes.values)
        #expect(made.attributes == operation.attributes)
        #expect(type(of: made) == type(of: operation))
    }

    @Test(arguments: GradientCase.all) func everyAttributeIsNeededAndTyped(_ example: GradientCase) throws {
        let attributes = example.operation.attributes.values
        let name = example.operation.name
        for key in attributes.keys.sorted() {
            for wrong: AttributeValue? in [nil, .string("\u{0}"), .ints([1, 2, 3, 4, 5, 6, 7])] {
                if ["reshape", "expand", "reduce_mean", "reduce_sum"].contains(name), wrong != nil, wrong != .string("\u{0}") { continue }  // any list will do
                if name == "batch_norm", key == "residual", wrong == nil { continue }  // older files have none
                var changed = attributes
                changed[key] = wrong
                let failure = #expect(throws: OperationFailure.self) { try OperationCatalog.make(name, changed) }
                #expect(failure?.code == "operation.attribute" && failure?.description.hasPrefix(name) == true)
            }
        }
    }

    @Test func unknownNamesAndAttributesNameTheNearest() {
        let unknown = #expect(throws: OperationFailure.self) { try OperationCatalog.make("conv2", [:]) }
        #expect(unknown?.description == "unknown operation 'conv2' (did you mean 'conv2d'?)")
        let far = #expect(throws: OperationFailure.self) { try OperationCatalog.make("transmogrify", [:]) }
        #expect(far?.description == "unknown operation 'transmogrify'")
        let stranger = #expect(throws: OperationFailure.self) {
            try OperationCatalog.make("add", ["relu": .bool(false), "rel": .bool(true)])
        }
        #expect(stranger?.description == "add: there is no attribute 'rel' (did you mean 'relu'?)")
    }

    static let outOfRange: [(String, [String: AttributeValue])] = [
        ("batch_norm", ["epsilon": .float(0), "momentum": .float(0.1), "relu": .bool(false)]),
        ("batch_norm", ["epsilon": .float(-1), "momentum": .float(0.1), "relu": .bool(false)]),
        ("batch_norm", ["epsilon": .float(.nan), "momentum": .float(0.1), "relu": .bool(false)]),
        ("batch_norm", ["epsilon": .float(.infinity), "momentum": .float(0.1), "relu": .bool(false)]),
        ("batch_norm", ["epsilon": .float(1e-5), "momentum": .float(1.5), "relu": .bool(false)]),
        ("batch_norm", ["epsilon": .float(1e-5), "momentum": .float(.nan), "relu": .bool(false)]),
        ("cross_entropy", ["smoothing": .float(1)]),
        ("cross_entropy", ["smoothing": .float(-0.1)]),
        ("cross_entropy", ["smoothing": .float(.nan)]),
        ("kl_divergence", ["temperature": .float(0)]),
        ("kl_divergence", ["temperature": .float(.nan)]),
        ("kl_divergence", ["temperature": .float(.infinity)]),
        ("scale", ["factor": .float(.nan)]),
        ("reshape", ["shape": .ints([2, -2])]),
        ("pool2d", ["kind": .string("median"), "window": .ints([2, 2]), "stride": .ints([2, 2]), "padding": .ints([0, 0, 0, 0])]),
    ]

    @Test(arguments: outOfRange) func valuesOutOfRangeAreRefused(_ name: String, _ attributes: [String: AttributeValue]) {
        let failure = #expect(throws: OperationFailure.self) { try OperationCatalog.make(name, attributes) }
        #expect(failure?.code == "operation.attribute")
    }

    @Test func wholeNumbersAreNumbers() throws {
        let scale = try #require(try OperationCatalog.make("scale", ["factor": .int(3)]) as? Scale)
        #expect(scale.factor == 3)
    }
}
