/// Names that Python takes, each given once.
struct PythonNames {
    private var used: Set<String>
    private var counts: [String: Int] = [:]

    init(reserved: Set<String>) { used = reserved.union(Self.keywords) }

    /// `wish` as an identifier, with a number where the name is taken.
    mutating func unique(_ wish: String) -> String {
        let wish = Self.identifier(wish)
        var name = wish
        while !used.insert(name).inserted {
            counts[wish, default: 1] += 1
            name = "\(wish)_\(counts[wish, default: 1])"
        }
        return name
    }

    /// Letters, digits and underscores in place of what a file or a script called something; nothing else, because it
    /// becomes part of a program.
    static func identifier(_ name: String) -> String {
        var text = String(
            name.unicodeScalars.map { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)) ? Character(scalar) : "_"
            })
        // A leading underscore has a meaning of its own in Python and in modules of PyTorch.
        if text.first.map({ $0.isNumber || $0 == "_" }) ?? true { text = "n" + text }
        return text
    }

    private static let keywords: Set<String> = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ]

    /// What a module of PyTorch has already.
    static let moduleAttributes: Set<String> = [
        "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu", "cuda", "double",
        "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer", "get_extra_state", "get_parameter",
        "get_submodule", "half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers", "named_children",
        "named_modules", "named_parameters", "parameters", "register_backward_hook", "register_buffer",
        "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
        "register_full_backward_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook",
        "register_module", "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook",
        "requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train",
        "training", "type", "xpu", "zero_grad",
    ]
}
