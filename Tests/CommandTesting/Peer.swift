import Glibc

/// Software of others that tests compare with where it is installed: `scripts/test --peers` installs all of it.
///
/// A test that needs one is `.enabled(if:)` it is there, so that it shows as skipped elsewhere, and says by `began` that
/// it runs, so that `scripts/test --peers` can count.
public enum Peer: String, Sendable {
    case pyTorch = "PyTorch"
    case onnx = "ONNX"
    case onnxRuntime = "ONNX Runtime"
    case tensorBoard = "TensorBoard"
    case chromium = "Chromium"

    /// The Python that has the packages: MOONRAIL_ONNX_PYTHON, else the system's.
    public static let python = getenv("MOONRAIL_ONNX_PYTHON").map { String(cString: $0) } ?? "/usr/bin/python3"
    public static let browser = "/usr/bin/chromium"

    private static let found: [Peer: Bool] = Dictionary(
        uniqueKeysWithValues: [Peer.pyTorch, .onnx, .onnxRuntime, .tensorBoard, .chromium].map { ($0, $0.looked()) })

    public var isInstalled: Bool { Self.found[self] ?? false }

    /// Why a test does not run.
    public var absence: String { "peer \(rawValue) is not installed: scripts/test --peers" }

    public func began(_ test: String = #function) { print("peer \(rawValue): \(test)") }

    private var modules: [String] {
        switch self {
        case .pyTorch: ["numpy", "safetensors", "torch"]
        case .onnx: ["numpy", "safetensors", "onnx"]
        case .onnxRuntime: ["numpy", "safetensors", "onnx", "onnxruntime"]
        case .tensorBoard: ["tensorboard"]
        case .chromium: []
        }
    }

    private func looked() -> Bool {
        if self == .chromium { return access(Self.browser, X_OK) == 0 }
        let question = "import importlib.util, sys; sys.exit(any(importlib.util.find_spec(m) is None for m in sys.argv[1:]))"
        let answer = try? BuiltCommand.run(["-c", question] + modules, program: Self.python, patienceSeconds: 120)
        return answer?.status == 0
    }
}
