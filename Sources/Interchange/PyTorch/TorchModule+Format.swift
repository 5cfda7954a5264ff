extension ModelFormat {
    /// Source for PyTorch with a file of weights beside it; written, not read.
    public static let torch = ModelFormat(
        summary: "a module for PyTorch", ending: ".py", reading: nil,
        write: { model, path, version in [path, try TorchModule.write(model.graph, to: path, version: version)] })
}
