import Formats
public import Graphs
import Operations
public import Tensors

/// Weights under the names that PyTorch's state dicts use.
public struct StateDict: Sendable {
    /// For each node with parameters the names its module may have, or those of the parameter that is called like the node.
    private let modules: [String: [String]]
    private let source: String

    /// - Parameters:
    ///   - modules: names of modules by node, as `Architecture.stateDictModules` gives them.
    ///   - source: what errors call the file.
    public init(modules: [String: [String]], source: String) {
        self.modules = modules
        self.source = source
    }

    /// Gives the parameters of `graph` the values of a state dict, or of a file with Moonrail's own names.
    ///
    /// Counts of batches and of dropout's passes may be missing; everything else must be there, in the right shape.
    /// A prefix that all names share is seen through: `module.` of data-parallel training, `_orig_mod.` of a compiled
    /// module, `model.` of Lightning, or several of them.
    /// - Parameters:
    ///   - names: all names of the state dict.
    ///   - tensor: the tensor of a name.
    /// - Throws: `InterchangeFailure`: `missingTensor`, `tensorShape`, `malformed` for integers, or `leftOver` for tensors
    ///   that have no place, which hints at another architecture.
    public func load(names: [String], into graph: inout Graph, tensor: (String) -> Tensor?) throws {
        var unused = Set(names)
        let prefix = prefix(of: names, for: graph)
        for parameter in graph.parameters.names {
            guard let own = graph.parameters[parameter] else { continue }
            let candidates = self.candidates(for: parameter).map { prefix + $0 }
            guard let name = candidates.first(where: unused.contains), let value = tensor(name) else {
                if isDropoutCount(parameter, in: graph) { continue }
                throw InterchangeFailure.missingTensor(source: source, name: candidates[0])
            }
            guard value.shape == own.tensor.shape else {
                throw InterchangeFailure.tensorShape(
                    source: source, name: name, expected: own.tensor.shape, got: value.shape)
            }
            guard value.dtype == .float32 else {
                throw InterchangeFailure.malformed(
                    source: source, place: "tensor '\(name)'", detail: "is \(value.dtype), but must be of floating point")
            }
            unused.remove(name)
            graph.parameters.update(parameter, value)
        }
        let leftOver = unused.filter { !$0.hasSuffix(".num_batches_tracked") }.sorted()
        guard leftOver.isEmpty else { throw InterchangeFailure.leftOver(source: source, names: leftOver) }
    }

    /// Writes the parameters of a dense network of the zoo as safetensors under PyTorch's names, so that
    /// `load_state_dict` takes them.
    /// - Throws: `InterchangeFailure.notExportable` for a network that is not of the zoo as it was built,
    ///   `unknownEnding` for a path that does not end in `.safetensors`; `FileFailure`.
    public static func write(_ graph: Graph, to path: String) throws {
        _ = try ModelFormat(endingOf: path, among: [.safetensors])
        guard let architecture = KnownArchitectures.architecture(of: graph) else {
            throw InterchangeFailure.notExportable(
                operation: graph.name,
                detail: "only the zoo's dense networks have names in PyTorch; `moonrail export --torch` writes any network")
        }
        let tensors = try StateDict(modules: architecture.stateDictModules(), source: path).tensors(of: graph)
        try SafetensorsFile(tensors: tensors, metadata: ["format": "pt"]).write(to: path)
    }

    /// The parameters under PyTorch's names; batch norms with the count of batches that PyTorch keeps, which is 0.
    /// - Throws: `InterchangeFailure.notExportable` for a layer without a name.
    public func tensors(of graph: Graph) throws -> [(name: String, tensor: Tensor)] {
        var list: [(name: String, tensor: Tensor)] = []
        for parameter in graph.parameters.names where !isDropoutCount(parameter, in: graph) {
            guard let tensor = graph.parameters[parameter]?.tensor, let name = names(of: parameter).first else {
                throw InterchangeFailure.notExportable(operation: parameter, detail: "PyTorch's network has no such layer")
            }
            list.append((name, tensor))
            if let module = name.dropped(suffix: ".running_var") {
                list.append((module + ".num_batches_tracked", try .zeros([], dtype: .int64)))
            }
        }
        return list
    }

    /// PyTorch's names of a parameter, then ours.
    private func candidates(for parameter: String) -> [String] { names(of: parameter) + [parameter] }

    /// PyTorch's names of a parameter: the module's with what the parameter is in it, or, where the parameter is called like
    /// its node, just those that are known of the node.
    private func names(of parameter: String) -> [String] {
        if let own = modules[parameter] { return own }
        guard let dot = parameter.lastIndex(of: ".") else { return [] }
        return (modules[String(parameter[..<dot])] ?? []).map { $0 + parameter[dot...] }
    }

    /// What stands before the names of the parameters, with its dot: that with which most of them are found, or nothing.
    private func prefix(of names: [String], for graph: Graph) -> String {
        let wanted = graph.parameters.names.filter { !isDropoutCount($0, in: graph) }.map(candidates)
        let given = Set(names)
        let prefixes = (wanted.first ?? []).flatMap { candidate in
            names.filter { $0.hasSuffix("." + candidate) }.map { String($0.dropLast(candidate.count)) }
        }
        func foundCount(_ prefix: String) -> Int { wanted.count { $0.contains { given.contains(prefix + $0) } } }
        // Of equals the first, so that names are taken as they are where that serves.
        return ([""] + Set(prefixes).sorted()).map { ($0, foundCount($0)) }.reduce(("", -1)) { $1.1 > $0.1 ? $1 : $0 }.0
    }

    private func isDropoutCount(_ parameter: String, in graph: Graph) -> Bool {
        graph.nodes.contains { $0.operation is Dropout && $0.parameterInputs.contains(parameter) }
    }
}

extension String {
    /// What stands before `suffix`, where it ends so.
    fileprivate func dropped(suffix: String) -> String? { hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil }
}
