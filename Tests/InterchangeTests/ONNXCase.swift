import Basics
import Formats
import Foundation
import Tensors
import Testing

/// A model with inputs and the outputs that other software made of them, from a fixture.
struct ONNXCase {
    let name: String
    let model: [UInt8]
    let inputs: [Tensor]
    let outputs: [Tensor]

    static let fixtures = String(#filePath.dropLast("InterchangeTests/ONNXCase.swift".count)) + "Fixtures/"

    static func all(in path: String) throws -> [ONNXCase] {
        let file = try SafetensorsFile(path: path)
        func numbered(_ prefix: String) -> [Tensor] {
            var tensors: [Tensor] = []
            while let tensor = file[prefix + "\(tensors.count)"] { tensors.append(tensor) }
            return tensors
        }
        return try file.tensors.filter { $0.name.hasSuffix("/model") }.map { entry in
            let name = String(entry.name.dropLast("/model".count))
            return ONNXCase(
                name: name, model: try entry.tensor.array(of: UInt8.self), inputs: numbered(name + "/input/"),
                outputs: numbered(name + "/output/"))
        }.sorted { $0.name < $1.name }
    }
}

/// The largest difference of two tensors by the largest expected magnitude (at least 1); infinite for other shapes.
func difference(_ got: Tensor, _ expected: Tensor) throws -> Double {
    guard got.shape == expected.shape else { return .infinity }
    let a = try got.converted(to: .float32).array(of: Float.self)
    let b = try expected.converted(to: .float32).array(of: Float.self)
    let scale = b.reduce(1) { $1.isFinite ? max($0, abs($1)) : $0 }
    return zip(a, b).reduce(0) { worst, pair in
        if pair.0 == pair.1 || pair.0.isNaN && pair.1.isNaN { return worst }
        let distance = Double(abs(pair.0 - pair.1) / scale)
        return distance.isNaN ? .infinity : max(worst, distance)
    }
}
