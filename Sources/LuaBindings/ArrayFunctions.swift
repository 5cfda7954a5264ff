import Formats
import LuaRuntime
import Tensors

/// Tensors as files: NumPy's, safetensors, IDX, and pictures.
enum ArrayFunctions {
    static func add(to table: LuaTable, in state: LuaState) throws {
        try table.define("read_npy", in: state) { call in
            try call.push(TensorObject(try NPY.read(try call.path(1, "path"))))
        }
        try table.define("write_npy", in: state) { call in
            try NPY.write(try call.object(2, "tensor", as: TensorObject.self).tensor, to: try call.path(1, "path"))
        }
        try table.define("read_npz", in: state) { call in
            let arrays = try NPZ.read(try call.path(1, "path"))
            try call.push(LuaFields(arrays.map { ($0.name, TensorObject($0.tensor)) }))
        }
        try table.define("write_npz", in: state) { call in
            let options = try call.options(3)
            let arrays = try tensors(call, 2)
            try NPZ.write(
                arrays, to: try call.path(1, "path"), compresses: try options.boolean("compress"))
        }
        try table.define("read_safetensors", in: state) { call in
            let file = try SafetensorsFile(path: try call.path(1, "path"))
            try call.push(LuaFields(file.tensors.map { ($0.name, TensorObject($0.tensor)) }))
            try call.push(LuaFields(file.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        }
        try table.define("write_safetensors", in: state) { call in
            let options = try call.options(3)
            var metadata: [String: String] = [:]
            for field in try options.optionalFields("metadata") ?? [] {
                guard let text = field.value.string else {
                    throw options.invalid("metadata", "must be texts by name, but '\(field.name)' is none")
                }
                metadata[field.name] = text
            }
            try SafetensorsFile(tensors: try tensors(call, 2), metadata: metadata).write(to: try call.path(1, "path"))
        }
        try table.define("read_idx", in: state) { call in
            try call.push(TensorObject(try IDX.read(try call.path(1, "path"))))
        }
        try table.define("read_picture", in: state) { call in
            try call.push(TensorObject(try Picture.read(try call.path(1, "path"))))
        }
    }

    /// Argument `position` as tensors by name, in the order of the names.
    private static func tensors(_ call: borrowing LuaCall, _ position: Int) throws -> [(name: String, tensor: Tensor)] {
        guard try call.values(in: position, "tensors").isEmpty else {
            throw call.invalid(position, "tensors", "must be tensors by name, { weight = … }, but got an array")
        }
        return try call.fields(position, "tensors").map { field -> (name: String, tensor: Tensor) in
            guard let object = try call.object(in: field.value, as: TensorObject.self) else {
                throw call.invalid(position, "tensors", "must be tensors by name, but '\(field.name)' is none")
            }
            return (field.name, object.tensor)
        }
    }
}
