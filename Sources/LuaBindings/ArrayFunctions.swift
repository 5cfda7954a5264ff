import Formats
import LuaRuntime
import Tensors

/// Tensors as NumPy's files.
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
            let options = try call.options(3, known: ["compress"])
            let arrays = try call.table(2, "tensors").fields().map { field -> (name: String, tensor: Tensor) in
                guard let object = field.value.object?.object(as: TensorObject.self) else {
                    throw call.invalid(2, "tensors", "must be tensors by name, but '\(field.name)' is none")
                }
                return (field.name, object.tensor)
            }
            try NPZ.write(
                arrays, to: try call.path(1, "path"), compresses: try options.boolean("compress", default: false))
        }
    }
}
