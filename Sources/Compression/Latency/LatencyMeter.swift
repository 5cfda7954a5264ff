import Basics
import Execution
import Graphs
import Operations
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// Times layers and their chains on this machine, one small program each, and remembers the times in a file.
///
/// The times of layers do not add up to that of the model exactly: the model's own time is measured too, and what a
/// plan saves is taken off it layer by layer. So a plan's latency is a forecast; `Model:latency` measures the result.
public final class LatencyMeter {
    /// Images per run.
    public let batch: Int
    private let path: String?
    private var known: [String: Int] = [:]
    private var isChanged = false

    /// - Parameters:
    ///   - cache: a directory for the file of times, made when it is missing; `nil` keeps them in memory only.
    ///   - version: of the program that measures: times of another version do not count.
    /// - Throws: `invalidOption` for a batch below 1. A file that cannot be read is measured anew.
    public init(batch: Int, cache: String?, version: String) throws {
        guard (1...1 << 16).contains(batch) else {
            throw CompressionFailure.invalidOption(name: "latency_batch", detail: "must lie in 1…65536, but is \(batch)")
        }
        self.batch = batch
        let key = "\(Self.processor)-\(Threads.count)threads-\(version)"
        let name = String(key.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "_" })
        path = cache.map { $0 + "/latency-\(name).txt" }
        guard let path, let bytes = try? AtomicFile.read(path, limit: 1 << 26) else { return }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            if parts.count == 2, let time = Int(parts[0]), time > 0 { known[String(parts[1])] = time }
        }
    }

    /// The name of this machine's processor.
    private static var processor: String {
        // A file of the kernel's has no size, so it is read line by line.
        guard let file = fopen("/proc/cpuinfo", "r") else { return "unknown" }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 1024)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard line.hasPrefix("model name"), let name = line.split(separator: ":").last else { continue }
            return name.split { $0.isWhitespace }.joined(separator: "_")
        }
        return "unknown"
    }

    /// Writes new times to the file, whole or not at all.
    public func save() throws {
        guard let path, isChanged else { return }
        try AtomicFile.makeDirectory(DirectoryListing.split(path).directory)
        try AtomicFile.write(path, text: known.sorted { $0.key < $1.key }.map { "\($0.value)\t\($0.key)\n" }.joined())
        isChanged = false
    }

    /// Nanoseconds of `make`'s graph, measured unless known under `description`.
    private func time(_ description: String, _ make: () throws -> Graph) throws -> Int {
        let name = "batch \(batch) \(description)"
        if let time = known[name] { return time }
        let time = try time(make(), atLeast: 3)
        (known[name], isChanged) = (time, true)
        return time
    }

    /// Nanoseconds of the whole model; not remembered, because its name does not say what it is made of.
    func time(of graph: Graph) throws -> Int { try time(graph, atLeast: 50) }

    /// The minimum of 15 runs, or of as many as fit into these milliseconds; it leaves out interference by other processes.
    private func time(_ graph: Graph, atLeast milliseconds: Double) throws -> Int {
        max(1, Int(try Latency.measure(graph, batch: batch, runs: 15, atLeast: milliseconds).minimum * 1e6))
    }

    /// Nanoseconds of the dense layer, and a grid per chain.
    func times(of layer: DecomposableLayer, in graph: Graph) throws -> (dense: Int, chains: [LatencyGrid]) {
        let alone = try Self.alone(layer, in: graph)
        let geometry = (graph.nodes[layer.layer.node].operation as? Conv2D)?.geometry
        let place =
            "\(layer.layer.weightShape) on \(layer.layer.inputShape)"
            + (geometry.map { " stride \($0.stride) padding \($0.padding) dilation \($0.dilation) groups \($0.groups)" } ?? "")
        let dense = try time(place) { alone }
        let grids = try layer.chains.map { chain in
            let candidates = LatencyGrid.candidates(chain.maxRanks)
            let times = try LatencyGrid.combinations(candidates).map { ranks in
                try time("\(place) \(chain.format) \(ranks)") {
                    try ChainNodes.replacing(layer, by: chain, ranks: chain.factorization.clamped(ranks).ranks, in: alone)
                }
            }
            return LatencyGrid(ranks: candidates, times: times)
        }
        return (dense, grids)
    }

    /// The layer as a model of its own.
    private static func alone(_ layer: DecomposableLayer, in graph: Graph) throws -> Graph {
        var node = graph.nodes[layer.layer.node]
        node.inputs[0] = .value("x")
        var part = graph
        part.name = layer.name
        part.inputs = [GraphInput(name: "x", sampleShape: layer.layer.inputShape.sample)]
        part.nodes = [node]
        part.outputs = [node.name]
        part.dropUnusedParameters()
        return part
    }
}

extension DecomposedModel {
    /// The same model with the times of its layers, so that budgets may limit latency.
    /// - Throws: what measuring throws, `Interrupted`.
    public func timed(by meter: LatencyMeter) throws -> DecomposedModel {
        var progress = ProgressReport("timing \(graph.name)", total: layers.count)
        var timed: [(index: Int, dense: Int, grids: [LatencyGrid])] = []
        for (index, layer) in layers.enumerated() where !layer.chains.isEmpty {
            let (dense, grids) = try meter.times(of: layer, in: graph)
            timed.append((index, dense, grids))
            try progress.advance()
        }
        var result = self
        result.cache = PlanningCache()
        let (whole, sum) = (try meter.time(of: graph), timed.reduce(0) { $0 + $1.dense * layers[$1.index].uses.count })
        // A layer timed alone also pays for start-up and for the conversion of layouts. These costs are the same for a layer
        // and its chains, so (sum of layers − whole model) / layers is subtracted from each.
        let alone = max(0, sum - whole) / max(1, timed.reduce(0) { $0 + layers[$1.index].uses.count })
        for (index, dense, grids) in timed {
            result.layers[index].setTimes(dense: LatencyGrid.less(dense, alone), grids.map { $0.less(alone) })
        }
        result.denseLatency = max(whole, result.layers.reduce(0) { $0 + $1.denseCost(.latency) })
        return result
    }
}
