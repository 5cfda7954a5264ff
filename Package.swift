// swift-tools-version: 6.1
import PackageDescription

/// Upcoming features every target is written for: explicit `any`, imports that do not leak.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A Swift target and what it may import; arrows point to lower rows only.
func row(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// Tests of the optimised modules are not optimised themselves, which would take as long as building all the modules,
/// but for those that compare kernels with loops of their own.
func suite(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    let isOptimised = ["Tensors", "Operations", "Autograd", "Decomposition", "Execution", "Interchange"].contains(name)
    return .testTarget(
        name: name + "Tests", dependencies: dependencies,
        swiftSettings: strict + (isOptimised ? [] : [.unsafeFlags(["-Onone"], .when(configuration: .release))]))
}

let package = Package(
    name: "moonrail",
    products: [
        // `import Moonrail` is the way from a trained model to a smaller one; the others are imported by name.
        .library(
            name: "Moonrail", targets: ["Moonrail", "Autograd", "Decomposition", "Formats", "Operations", "Training"]),
        .library(name: "MoonrailLua", targets: ["LuaBindings", "LuaRuntime"]),
        .library(name: "MoonrailModule", type: .dynamic, targets: ["LuaModule"]),
        .library(name: "MoonrailLoader", type: .dynamic, targets: ["CModuleLoader"]),
        .executable(name: "moonrail", targets: ["MoonrailCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // C: the only places that know the foreign libraries.
        .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-openmp-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CLuaBridge", dependencies: ["CLua"]),
        .target(name: "CLuaModule", dependencies: ["CLua"]),
        .target(name: "CModuleLoader", dependencies: ["CAddressSpace", "CLua"], linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CImages", linkerSettings: [.linkedLibrary("png16"), .linkedLibrary("jpeg")]),
        .target(name: "CAddressSpace"),
        .target(name: "CFiles"),
        .target(name: "CStartup", dependencies: ["CAddressSpace"]),
        .target(name: "CEdit", linkerSettings: [.linkedLibrary("edit")]),
        .target(name: "CKernels"),
        .target(name: "COpenBLASKernels", dependencies: ["COpenBLAS"]),
        .target(name: "COneDNN", dependencies: ["CKernels"], linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("gomp")]),

        // Row 0
        row("Basics", ["CFiles"]),
        // Row 1
        row("Tensors", ["Basics", "CKernels", "COneDNN", "COpenBLAS", "COpenBLASKernels"]),
        // Rows 2 and 3
        row("Operations", ["Basics", "Tensors"]),
        row("KernelChecks", ["Basics", "Tensors", "COneDNN"]),
        row("Autograd", ["Basics", "Tensors", "Operations"]),
        row("Graphs", ["Basics", "Tensors", "Operations"]),
        row("Decomposition", ["Basics", "Tensors"]),
        row("Formats", ["Basics", "Tensors", "EventMessages", "CZlib", "CImages"]),
        .target(
            name: "EventMessages", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["event.proto"], swiftSettings: strict),
        // Generated from onnx.proto and apart from the rest, because it compiles slowly.
        .target(
            name: "ONNXMessages", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["onnx.proto"], swiftSettings: strict),
        // Row 4
        row("Execution", ["Basics", "Tensors", "Operations", "Autograd", "Graphs", "COneDNN"]),
        row("Datasets", ["Basics", "Tensors", "Formats"]),
        row("Interchange", ["Basics", "Tensors", "Operations", "Graphs", "Formats", "ONNXMessages"]),
        // Rows 5 to 7
        row("Training", ["Basics", "Tensors", "Operations", "Autograd", "Graphs", "Execution", "Formats"]),
        row(
            "Compression",
            ["Basics", "Tensors", "Operations", "Autograd", "Graphs", "Decomposition", "Execution", "Datasets", "Training"]),
        row(
            "Moonrail",
            ["Basics", "Tensors", "Graphs", "Formats", "Execution", "Datasets", "Interchange", "Compression"]),
        // Rows H1 and H2, of which the first is a Lua host that has never heard of tensors.
        row("LuaRuntime", ["Basics", "CLua", "CLuaBridge"]),
        row("Console", ["Basics", "LuaRuntime", "CEdit"]),
        // Row 8
        row(
            "LuaBindings",
            [
                "Basics", "Tensors", "Operations", "Autograd", "Graphs", "Decomposition", "Formats", "Execution",
                "Datasets", "Interchange", "Training", "Compression", "LuaRuntime",
            ], resources: [.embedInCode("Lua"), .embedInCode("Meta")]),
        // Row 9
        row("LuaModule", ["Basics", "LuaRuntime", "LuaBindings", "CLuaModule"]),
        .executableTarget(
            name: "MoonrailCommand",
            dependencies: [
                "Basics", "Tensors", "KernelChecks", "Graphs", "Datasets", "Interchange", "Compression", "LuaRuntime",
                "LuaBindings", "Console", "CStartup",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], resources: [.embedInCode("Lua")],
            swiftSettings: strict),

        // What suites share that run the built command as a child process.
        .target(name: "CommandTesting", dependencies: ["Basics"], path: "Tests/CommandTesting", swiftSettings: strict),

        // A program with an interpreter inside, as the README shows; a test runs it.
        .executableTarget(
            name: "HostProgram", dependencies: ["LuaBindings", "LuaRuntime"], path: "Tests/HostProgram", swiftSettings: strict),

        // A program without one, as the documentation shows; a test runs it.
        .executableTarget(name: "SwiftProgram", dependencies: ["Moonrail"], path: "Tests/SwiftProgram", swiftSettings: strict),

        // Several interpreters and several threads at work at the same time; a test runs it, and ThreadSanitizer watches it.
        .executableTarget(
            name: "ConcurrencyProgram",
            dependencies: [
                "Basics", "Tensors", "Operations", "Autograd", "Graphs", "Execution", "Training", "LuaBindings", "LuaRuntime",
            ], path: "Tests/ConcurrencyProgram", swiftSettings: strict),

        // Calls of the whole scripting face with hostile values; a test and `scripts/fuzz calls` run it.
        .executableTarget(
            name: "HostileCalls", dependencies: ["Basics", "Tensors", "LuaBindings", "LuaRuntime"], path: "Tests/HostileCalls",
            exclude: ["calls.lua", "described.lua", "extras.lua", "subjects.lua", "values.lua"], swiftSettings: strict),

        // Processes that save and are killed; `scripts/test` and `scripts/kills` run it.
        .target(name: "CKilling", path: "Tests/CKilling"),
        .executableTarget(
            name: "KillProgram", dependencies: ["Basics", "CKilling", "LuaBindings", "LuaRuntime"], path: "Tests/KillProgram",
            exclude: ["kinds.lua"], swiftSettings: strict),

        // Readers of what strangers made. `scripts/fuzz` calls them with bytes of its own, and a test with those it found.
        .target(
            name: "FuzzedReaders",
            dependencies: ["Basics", "Tensors", "Graphs", "Formats", "Interchange", "LuaBindings", "LuaRuntime"],
            path: "Tests/FuzzedReaders", swiftSettings: strict),

        // Tests: a suite per module; `Fixtures` holds golden values and the command that made them.
        suite("Basics", ["Basics"]),
        suite("Tensors", ["Basics", "Tensors", "KernelChecks", "COneDNN"]),
        suite("Operations", ["Basics", "Tensors", "Operations", "Autograd", "Formats"]),
        suite("Autograd", ["Basics", "Tensors", "Operations", "Autograd"]),
        suite("Graphs", ["Basics", "Tensors", "Operations", "Graphs"]),
        suite("Decomposition", ["Basics", "Tensors", "Decomposition", "Formats"]),
        suite("Formats", ["Basics", "Tensors", "Formats"]),
        suite("Execution", ["Basics", "Tensors", "Operations", "Autograd", "Graphs", "Execution", "Formats"]),
        suite("Datasets", ["Basics", "Tensors", "Formats", "Datasets"]),
        suite(
            "Interchange",
            [
                "Basics", "Tensors", "Operations", "Autograd", "Graphs", "Execution", "Formats", "Interchange", "ONNXMessages",
                "CommandTesting",
            ]),
        suite(
            "Training",
            ["Basics", "Tensors", "Operations", "Autograd", "Graphs", "Execution", "Formats", "Training"]),
        suite(
            "Compression",
            [
                "Basics", "Tensors", "Operations", "Graphs", "Decomposition", "Execution", "Datasets", "Interchange", "Compression",
                "CommandTesting",
            ]),
        suite("LuaRuntime", ["Basics", "CLua", "LuaRuntime"]),
        suite(
            "LuaBindings",
            ["Basics", "Tensors", "Operations", "Decomposition", "Compression", "LuaRuntime", "LuaBindings"]),
        suite("Console", ["Basics", "LuaRuntime", "Console", "CommandTesting"]),
        suite("Fuzzing", ["Basics", "FuzzedReaders"]),
        suite("Architecture", []),
        suite("EndToEnd", ["Basics", "Formats", "Graphs", "Interchange", "LuaBindings", "CommandTesting"]),
    ],
    cxxLanguageStandard: .cxx17
)

// Only libFuzzer, which not every build links, makes a program of it: `scripts/fuzz` asks for it.
if Context.environment["MOONRAIL_FUZZING"] != nil {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/CFuzzer"),
        .executableTarget(
            name: "Fuzzing", dependencies: ["Basics", "CFuzzer", "FuzzedReaders"], path: "Tests/Fuzzing", swiftSettings: strict),
    ]
}
