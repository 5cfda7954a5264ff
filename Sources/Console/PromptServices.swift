/// What the owner of a prompt knows that the prompt does not: its documentation, and the memory that is not Lua's.
public struct PromptServices {
    /// Shown once when an interactive prompt opens.
    public var banner: String
    /// The documentation of a name or a topic, for `?name`; `nil` where it has none.
    public var help: (String) -> String?
    /// Everything whose name or documentation has the word, one line each, for `??word`.
    public var search: (String) -> [String]
    /// The keys of the table of options of the function with that name, for completion; or of the table that is its
    /// option of the second name.
    public var optionKeys: (String, String?) -> [String]
    /// Bytes in use, by what uses them; the first is shown behind the time of a long command.
    public var memory: () -> [(name: String, byteCount: Int)]
    /// What a script must begin with to find what the prompt presets.
    public var scriptHead: String

    public init(
        banner: String = "", help: @escaping (String) -> String? = { _ in nil },
        search: @escaping (String) -> [String] = { _ in [] },
        optionKeys: @escaping (String, String?) -> [String] = { _, _ in [] },
        memory: @escaping () -> [(name: String, byteCount: Int)] = { [] }, scriptHead: String = ""
    ) {
        self.banner = banner
        self.help = help
        self.search = search
        self.optionKeys = optionKeys
        self.memory = memory
        self.scriptHead = scriptHead
    }
}
