import Basics
import Formats
public import LuaRuntime
import Tensors

/// The toolkit in a Lua state: after `install`, `require "moonrail"` gives the module.
public enum Toolkit {
    /// The version of Moonrail.
    public static let version = "0.2.0"

    /// Makes the modules known. What they need is registered and loaded when they are required.
    public static func install(in state: LuaState) throws {
        if state.options.context == nil, let limit = state.options.memoryLimit { state.context.memory.limit = limit }
        let randomState = RandomState()
        // Not Lua to be run, but the text that help is made of.
        let meta = StandardLibrary.meta.map(\.source).joined(separator: "\n")
        try state.preload("moonrail.meta_source", source: "return [==[\n\(meta)]==]", chunkName: "meta.lua")
        try state.preload("moonrail.core") { state in try core(in: state, randomState) }
        for module in StandardLibrary.modules {
            try state.preload(module.name, source: module.source, chunkName: module.chunkName)
        }
    }

    /// The standard library that is written in Lua: the names that `require` knows, and the sources.
    public static var librarySources: [(name: String, source: String)] {
        StandardLibrary.modules.map { ($0.name, $0.source) }
    }

    /// The API's description in LuaCATS annotations, for editors: names of files, and their texts.
    public static var metaFiles: [(name: String, text: String)] {
        StandardLibrary.meta.map { ($0.name + ".lua", $0.source) }
    }

    /// What `?name` shows at a prompt, for a name, a module, a class or a topic; `nil` where the toolkit has none of that
    /// name, and an overview for the empty one.
    public static func help(for name: String, in state: LuaState) -> String? {
        try? helper("about", in: state)?(name).first?.string
    }

    /// What `??word` shows at a prompt: a line for each name and topic that mentions the word.
    public static func search(for word: String, in state: LuaState) -> [String] {
        let lines = try? helper("search", in: state)?(word).first?.table?.array()
        return (lines ?? []).compactMap(\.string)
    }

    /// The keys of the options table that a function of the toolkit takes, or of the table that is its option `inner`.
    public static func optionKeys(of name: String, inner: String? = nil, in state: LuaState) -> [String] {
        let keys = try? helper("option_keys", in: state)?(name, inner).first?.table?.array() ?? []
        return (keys ?? []).compactMap(\.string)
    }

    /// The API's description as one article in Markdown.
    public static func reference(in state: LuaState) throws -> String {
        try helper("reference", in: state)?().first?.string ?? ""
    }

    private static func helper(_ name: String, in state: LuaState) throws -> LuaFunction? {
        try state.require("moonrail.help").table?.rawGet(name).function
    }

    /// The functions that are written in Swift; the standard library makes `mr` of them.
    private static func core(in state: LuaState, _ randomState: RandomState) throws -> LuaTable {
        let table = try state.table(["version": version])
        try TensorFunctions.add(to: table, in: state, randomState)
        try ArrayFunctions.add(to: table, in: state)
        try ModelFunctions.add(to: table, in: state, randomState)
        try ZooFunctions.add(to: table, in: state, randomState)
        try LayerFunctions.add(to: table, in: state, randomState)
        try GraphFunctions.add(to: table, in: state, randomState)
        try DataFunctions.add(to: table, in: state, randomState)
        try TrainingFunctions.add(to: table, in: state)
        try CompressionFunctions.add(to: table, in: state, randomState)
        try QualityFunctions.add(to: table, in: state, randomState)
        try EventFunctions.add(to: table, in: state)
        try TensorTrainFunctions.add(to: table, in: state, randomState)
        try SessionFunctions.add(to: table, in: state, randomState)
        try OptionTable.add(to: table, in: state)
        return table
    }
}

/// What the functions of one state share.
final class RandomState {
    /// Where random numbers come from; `mr.seed` starts it anew.
    var random = RandomSource(seed: 0)
    var seed = 0

    func reseed(_ seed: Int) {
        self.seed = seed
        random = RandomSource(seed: UInt64(bitPattern: Int64(seed)))
    }
}

extension LuaTable {
    /// Sets `name` to a Swift function that messages call `mr.name`, or `mr.module.name`.
    func define(_ name: String, in state: LuaState, module: String = "mr", _ body: @escaping LuaFunctionBody) throws {
        try set(name, try state.function("\(module).\(name)", body))
    }
}
