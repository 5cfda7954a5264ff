import Basics
import LuaBindings
import LuaRuntime
import Testing

/// Runs a script in a fresh state with the toolkit as `mr`; `assert` inside the script is what fails a test.
@discardableResult
func run(
    _ script: String, arguments: [String] = [], names: [String: @Sendable () -> Void] = [:],
    warnings: ((String) -> Void)? = nil
) throws -> String {
    final class Output { var text = "" }
    let output = Output()
    let state = try LuaState(LuaOptions(context: .current, output: { output.text += $0 }, warnings: warnings))
    defer { state.close() }
    try Toolkit.install(in: state)
    for (name, body) in names { try state.globals.rawSet(name, try state.function(name) { _ in body() }) }
    let arg = try state.table()
    for argument in arguments { try arg.append(argument) }
    try state.globals.rawSet("arg", arg)
    try state.run(
        """
        local mr = require "moonrail"
        local function near(a, b, tolerance)
            if math.abs(a - b) > (tolerance or 1e-5) then error(("%s is not near %s"):format(a, b), 2) end
        end
        local function tiny()  -- 40 images of two classes that differ in brightness
            mr.seed(3)
            local images, labels = mr.rand(40, 1, 8, 8), {}
            local dark = images:slice(1, 1, 20) * 0.2
            images = mr.cat({ dark, images:slice(1, 21, 40) + 1 }, 1)
            for i = 1, 40 do labels[i] = i <= 20 and 1 or 2 end
            return mr.data.from_tensors(images, mr.tensor(labels, { dtype = "int64" }), { batch = 10, shuffle = true })
        end
        local function net() return mr.zoo.resnet { depth = 8, image = { 1, 8, 8 }, classes = 2, seed = 5 } end

        """ + script, name: "spec")
    return output.text
}

/// The sentence of the error that a script ends with.
func message(of script: String, arguments: [String] = []) -> String {
    do {
        try run(script, arguments: arguments)
        return "no error"
    } catch let failure as LuaFailure {
        return failure.message
    } catch {
        return "\(error)"
    }
}

/// What a script said beside its results.
func warnings(of script: String) throws -> [String] {
    final class Said { var texts: [String] = [] }
    let said = Said()
    try run(script, warnings: { said.texts.append($0) })
    return said.texts
}
