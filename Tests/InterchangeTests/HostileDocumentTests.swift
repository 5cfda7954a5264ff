import Basics
import Execution
import Formats
import Graphs
import Interchange
import Operations
import Tensors
import Testing

/// Documents from anywhere: whatever they say, loading ends with a graph or with a failure that has a code.
@Suite(.serialized) struct HostileDocumentTests {
    static let rounds = 2000
    /// Graphs that a mutation left legal and small are also run; larger ones only cost time.
    static let runnableMacCount = 20_000_000
    static let runnableByteCount = 16 << 20

    private static let numbers = [
        "0", "-1", "1", "2", "3", "7", "1.5", "1e9", "-1e300", "1048575", "1048576", "2147483648", "4294967296",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e400", "1e-400", "null", "true", "[]", "{}", "\"\"",
    ]

    /// Replaces, copies, swaps or removes a token, or a byte.
    private func mutate(_ text: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var text = text
        for _ in 0...max(0, Int.random(in: -4..<3, using: &random)) {
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<9: replaceToken(&text, &random)
            case 9:
                let at = Int.random(in: 0..<text.count, using: &random)
                text[at] = UInt8.random(in: 0...255, using: &random)
            case 10:
                let at = Int.random(in: 0..<text.count, using: &random)
                text.removeSubrange(at..<min(text.count, at + Int.random(in: 1..<40, using: &random)))
            default:
                let at = Int.random(in: 0..<text.count, using: &random)
                let piece = text[at..<min(text.count, at + Int.random(in: 1..<80, using: &random))]
                text.insert(contentsOf: piece, at: Int.random(in: 0..<text.count, using: &random))
            }
            if text.isEmpty { return Array("{}".utf8) }
        }
        return text
    }

    /// A number gives way to another, a word to one from elsewhere in the text.
    private func replaceToken(_ text: inout [UInt8], _ random: inout RandomSource) {
        func isPart(_ byte: UInt8) -> Bool { byte == 45 || byte == 46 || (48...57).contains(byte) || (97...122).contains(byte) || byte == 95 }
        func token(_ start: Int) -> Range<Int>? {
            guard let first = (start..<text.count).first(where: { isPart(text[$0]) }) else { return nil }
            var low = first
            while low > 0, isPart(text[low - 1]) { low -= 1 }
            var high = first
            while high < text.count, isPart(text[high]) { high += 1 }
            return low..<high
        }
        guard let target = token(Int.random(in: 0..<text.count, using: &random)) else { return }
        if text[target.lowerBound] <= 57 || Int.random(in: 0..<4, using: &random) == 0 {
            let replacement = Self.numbers.randomElement(using: &random) ?? "0"
            text.replaceSubrange(target, with: Array(replacement.utf8))
        } else if let source = token(Int.random(in: 0..<text.count, using: &random)) {
            text.replaceSubrange(target, with: Array(text[source]))
        }
    }

    @Test(arguments: ["zoo", "resnet8"]) func mutationsNeverTrap(_ name: String) throws {
        let graph = name == "zoo" ? try InterchangeSamples.zoo() : try CIFARResNet(depth: 8, imageShape: [1, 8, 8]).build(seed: 4)
        let text = Array(try GraphDocument.encode(graph).serialized().utf8)
        var random = RandomSource(seed: name == "zoo" ? 20 : 21)
        var (accepted, refused, run) = (0, 0, 0)
        for _ in 0..<Self.rounds {
            let mutated = mutate(text, &random)
            do {
                let document = try JSONValue.parse(text: String(decoding: mutated, as: UTF8.self), source: "file")
                let loaded = try InterchangeSamples.decode(document, graph)
                accepted += 1
                run += try use(loaded) ? 1 : 0
            } catch {
                refused += 1
                #expect(error is any Failure, "\(error)")
                #expect(!"\(error)".isEmpty)
            }
        }
        // A fuzzer that only makes what the first check refuses, or nothing wrong at all, tests nothing.
        #expect(accepted > Self.rounds / 50 && refused > Self.rounds / 2 && run > Self.rounds / 100, "\(accepted) \(refused) \(run)")
    }

    /// Asks everything of a graph that the toolkit asks; whether it was run.
    private func use(_ graph: Graph) throws -> Bool {
        let cost = try CostModel.cost(of: graph)
        _ = try WeightedLayers.layers(of: graph)
        _ = try graph.summary()
        _ = GraphDocument.encode(graph)
        _ = try Fusion.forInference(graph)
        _ = Fusion.forTraining(graph)
        guard cost.macCount < Self.runnableMacCount, cost.peakActivationByteCount < Self.runnableByteCount else { return false }
        let inputs = try graph.inputs.map { try Tensor.ones(Shape([2] + $0.sampleShape.dims)) }
        let results = try InferenceProgram(graph, batch: 2).run(inputs)
        #expect(results.count == graph.outputs.count)
        return true
    }
}
