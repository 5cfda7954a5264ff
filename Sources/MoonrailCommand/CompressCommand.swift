import ArgumentParser
import Console
import Interchange
import LuaRuntime

/// `moonrail compress MODEL --data DIR|NAME --keep 0.4 --out FILE`: the way without a script, which is a script itself.
struct CompressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compress",
        abstract: "Compresses a model to a budget.",
        discussion: """
            Ranks are shared out by the energy that layers lose (policy barrier). With --data, plans by several policies \
            are tried, and images choose the one that comes nearest to the dense model (policy portfolio); what is left of \
            the layers is fitted to the dense ones, with --distill also by training block by block, and the report has accuracies on images that were held out (the \
            test images, or a tenth of the others); --tune trains the compressed model towards the dense one. Images without \
            labels, or with --unlabelled, still repair and tune; the report then says how often both models agree. Every step is \
            judged on further images, and only kept where the model is no worse for it.

            DATA is fashion_mnist, an .npz file with images and labels, or a directory: the files of MNIST and its family, \
            of CIFAR-10 or of CIFAR-100, or pictures, with a directory for each class or without labels.

            EXAMPLES:
              moonrail compress model.onnx --keep 0.4 --out small.onnx
              moonrail compress model.onnx --data pictures --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 \
            --keep 0.4 --tune 200 --out small.onnx
            """)

    @Argument(help: ArgumentHelp("The model: \(ModelFormat.summaries(ModelFormat.readable)).", valueName: "MODEL"))
    var model: String

    @Option(help: ArgumentHelp("The share of the parameters to keep.", valueName: "SHARE"))
    var keep: Double

    @Option(help: ArgumentHelp("The file to write: \(ModelFormat.endings(ModelFormat.convertible)).", valueName: "FILE"))
    var out: String

    @Option(help: ArgumentHelp("Images, for repair, tuning and accuracy, and for policies that measure.", valueName: "DATA"))
    var data: String?

    @Flag(help: "Looks at no labels of the images.")
    var unlabelled = false

    @Flag(help: "Leaves damaged pictures of a directory out, rather than to stop at the first.")
    var skipDamaged = false

    @Flag(help: "Cuts by the error of the layers' outputs on the images in place of that of their weights.")
    var whiten = false

    @Option(help: ArgumentHelp("How layers share the budget (default: portfolio with --data, else barrier).", valueName: "NAME"))
    var policy: String?

    @Option(help: ArgumentHelp("Ranks are multiples of this where there is room, as kernels like them.", valueName: "N"))
    var align = 4

    @Option(help: ArgumentHelp("Seconds in which blocks of layers are trained to give what the dense ones give.", valueName: "SECONDS"))
    var distill = 0.0

    @Option(help: ArgumentHelp("Training steps after compression.", valueName: "STEPS"))
    var tune = 0

    @Option(help: ArgumentHelp("The learning rate of these steps (default: 0.005).", valueName: "RATE"))
    var lr: Double?

    @Flag(help: "Replaces the file to write, where it is there already.")
    var force = false

    @Option(help: ArgumentHelp("Mean of each channel of the images the model was trained on (default: the data's).", valueName: "M,…"))
    var mean: String?

    @Option(help: ArgumentHelp("Deviation of each channel, likewise.", valueName: "S,…"))
    var std: String?

    @OptionGroup var options: SessionOptions

    func validate() throws {
        guard keep > 0, keep <= 1 else { throw ValidationError("--keep must lie in 0…1, got \(keep).") }
        try requireEnding(of: out, "--out", among: ModelFormat.convertible)
        guard (1...1 << 20).contains(align) else { throw ValidationError("--align must be at least 1, got \(align).") }
        guard (0...1 << 30).contains(tune) else { throw ValidationError("--tune must be at least 0, got \(tune).") }
        if let lr {
            guard lr > 0, lr.isFinite else { throw ValidationError("--lr must be above 0, got \(lr).") }
            guard tune > 0 else { throw ValidationError("--lr is the rate of training steps: give --tune.") }
        }
        guard distill >= 0, distill.isFinite else { throw ValidationError("--distill must be at least 0, got \(distill).") }
        if data == nil, distill > 0 || tune > 0 || mean != nil || std != nil || unlabelled || skipDamaged || whiten {
            throw ValidationError("--distill, --tune, --mean, --std, --unlabelled, --skip-damaged and --whiten need images: give --data.")
        }
    }

    func run() throws {
        let session = try CommandState(options)
        InterruptSignal.stopsWorkThenProcess()
        try reportingFailures(session.progress) {
            let given = try session.state.table([
                "model": model, "keep": keep, "out": out, "align": align, "distill": distill, "tune": tune, "unlabelled": unlabelled, "whiten": whiten,
                "skip_damaged": skipDamaged, "force": force,
            ])
            if let lr { try given.rawSet("lr", lr) }
            for (name, value) in [("data", data), ("policy", policy), ("mean", mean), ("std", std)] {
                if let value { try given.rawSet(name, value) }
            }
            let script = String(decoding: PackageResources.compress_lua, as: UTF8.self)
            try session.state.run(script, name: "moonrail/compress.lua", arguments: [given])
        }
    }
}
