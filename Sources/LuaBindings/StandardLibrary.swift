/// The part of the toolkit that is written in Lua, carried inside the binary.
enum StandardLibrary {
    struct Module {
        let name: String
        let chunkName: String
        let source: String

        init(_ name: String, _ bytes: [UInt8]) {
            self.name = name
            chunkName = name.split(separator: ".").last.map { "moonrail/\($0).lua" } ?? name
            source = String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The API's description in LuaCATS annotations, by the names of its files.
    static let meta =
        [
            Module("meta", PackageResources.meta_lua), Module("networks", PackageResources.networks_lua),
            Module("data", PackageResources.data_lua), Module("files", PackageResources.files_lua),
            Module("tensor_trains", PackageResources.tensor_trains_lua), Module("tensors", PackageResources.tensors_lua),
            Module("results", PackageResources.results_lua),
        ] + optionFiles

    /// The part of it that describes options.
    static let optionFiles = [
        Module("options", PackageResources.options_lua), Module("layer_options", PackageResources.layer_options_lua),
    ]

    static let modules = [
        Module("moonrail", PackageResources.moonrail_lua),
        Module("moonrail.args", PackageResources.args_lua),
        Module("moonrail.check", PackageResources.check_lua),
        Module("moonrail.chart", PackageResources.chart_lua),
        Module("moonrail.classes", PackageResources.classes_lua),
        Module("moonrail.columns", PackageResources.columns_lua),
        Module("moonrail.compare", PackageResources.compare_lua),
        Module("moonrail.csv", PackageResources.csv_lua),
        Module("moonrail.edit", PackageResources.edit_lua),
        Module("moonrail.evaluate", PackageResources.evaluate_lua),
        Module("moonrail.compress", PackageResources.compress_lua),
        Module("moonrail.compile", PackageResources.compile_lua),
        Module("moonrail.help", PackageResources.help_lua),
        Module("moonrail.finetune", PackageResources.finetune_lua),
        Module("moonrail.fit", PackageResources.fit_lua),
        Module("moonrail.grad", PackageResources.grad_lua),
        Module("moonrail.groups", PackageResources.groups_lua),
        Module("moonrail.iter", PackageResources.iter_lua),
        Module("moonrail.nn", PackageResources.nn_lua),
        Module("moonrail.page", PackageResources.page_lua),
        Module("moonrail.pipeline", PackageResources.pipeline_lua),
        Module("moonrail.plot", PackageResources.plot_lua),
        Module("moonrail.report", PackageResources.report_lua),
        Module("moonrail.rows", PackageResources.rows_lua),
        Module("moonrail.shrink", PackageResources.shrink_lua),
        Module("moonrail.stages", PackageResources.stages_lua),
        Module("moonrail.svg", PackageResources.svg_lua),
        Module("moonrail.sweep", PackageResources.sweep_lua),
        Module("moonrail.textchart", PackageResources.textchart_lua),
        Module("moonrail.topics", PackageResources.topics_lua),
    ]
}
