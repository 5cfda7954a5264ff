---@meta moonrail
-- Files: texts, JSON, arrays and pictures. Models have mr.load and Model:save, rows Rows:save.
--
-- What is written replaces the file at the end, when all of it is on the disk; the file keeps its owner, group and mode.
-- Symbolic links are followed; other names of a file (hard links) keep the old bytes. Pipes, devices and open files such
-- as /dev/stdout are written into as they are.

---@class moonrail
local mr = {}

--- Makes a directory and those above it.
---@param path string
function mr.make_directory(path) end

--- Bytes of a file.
---@param path string
---@return integer
function mr.file_size(path) end

--- Bytes that a model takes on disk: of its file, and of others in which an ONNX model keeps its weights.
---@param path string
---@return integer
function mr.model_size(path) end

--- Writes text to a file, whole or not at all.
---@param path string
---@param text string
function mr.write_text(path, text) end

--- Writes a table as JSON, whole or not at all. Numbers that are not finite are NaN, Infinity and -Infinity, as in Python. Keys
--- that are neither names nor places of an array are refused.
---@param path string
---@param value any
function mr.write_json(path, value) end

--- Reads NumPy's file of one array. Other numbers become float32 or int64.
---@param path string
---@return Tensor
function mr.read_npy(path) end

--- Writes a tensor as NumPy's npy, whole or not at all.
---@param path string
---@param tensor Tensor
function mr.write_npy(path, tensor) end

--- Reads NumPy's file of several arrays: tensors by name.
---@param path string
---@return table<string, Tensor>
function mr.read_npz(path) end

--- Writes tensors by name as NumPy's npz, whole or not at all.
---@param path string
---@param tensors table<string, Tensor>
---@param options? NpzOptions
function mr.write_npz(path, tensors, options) end

--- Reads a file of tensors in the safetensors format: tensors by name, and the texts beside them.
---@param path string
---@return table<string, Tensor> tensors
---@return table<string, string> metadata
function mr.read_safetensors(path) end

--- Writes tensors by name in the safetensors format, whole or not at all.
---@param path string
---@param tensors table<string, Tensor>
---@param options? SafetensorsOptions
function mr.write_safetensors(path, tensors, options) end

--- Reads a file of bytes in the format IDX of the MNIST family, plain or compressed (.gz): uint8.
---@param path string
---@return Tensor
function mr.read_idx(path) end

--- Reads a PNG or JPEG picture of any kind: uint8 [3, H, W], with the values that Pillow's convert("RGB") gives. Of 16 bits the
--- upper eight are taken, CMYK is mixed, alpha is dropped; gamma, colour profiles and the orientation tag change nothing.
---@param path string
---@return Tensor
function mr.read_picture(path) end

--- The bytes of a file, as they are.
---@param path string
---@return string
function mr.read_text(path) end

--- Whether there is a file or a directory.
---@param path string
---@return boolean
function mr.exists(path) end

--- Reads JSON into tables, also with a byte order mark and with NaN, Infinity and -Infinity. A whole number whose digits no
--- number of Lua holds is refused.
---@param path string
---@return any
function mr.read_json(path) end

--- A value as JSON on one line.
---@param value any
---@return string
function mr.json(value) end
