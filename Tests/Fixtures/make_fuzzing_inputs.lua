-- Sound inputs that fuzzing begins with, in Fuzzing/READER/sound: run by `scripts/moonrail run Tests/Fixtures/make_fuzzing_inputs.lua`
-- in the root of the package. What stands in Fuzzing/READER/found once broke a reader, and is not made here.
local mr = require "moonrail"
mr.seed(1)

local fixtures = "Tests/Fixtures/"

local function folder(reader)
    local path = fixtures .. "Fuzzing/" .. reader .. "/sound/"
    mr.make_directory(path)
    return path
end

local function text(reader, name, content) mr.write_text(folder(reader) .. name, content) end

-- The bytes of a uint8 tensor.
local function bytes(tensor) return string.char(table.unpack(tensor:reshape(-1):totable())) end

-- MARK: Arrays

local npy = folder "npy"
mr.write_npy(npy .. "float32.npy", mr.randn(2, 3))
mr.write_npy(npy .. "int64.npy", mr.arange(3))
mr.write_npy(npy .. "uint8.npy", mr.tensor({ { { 1 }, { 255 } } }, { dtype = "uint8" }))
mr.write_npy(npy .. "scalar.npy", mr.tensor(2.5))
mr.write_npy(npy .. "empty.npy", mr.zeros(0, 4))
local function described(name, version, header, elements)
    header = header .. (" "):rep(-(#header + 11) % 16) .. "\n"
    text("npy", name, "\x93NUMPY" .. version .. string.pack(version == "\1\0" and "<s2" or "<s4", header) .. elements)
end
described("column_major.npy", "\1\0", "{'descr': '<f2', 'fortran_order': True, 'shape': (2, 3), }", ("\0\60"):rep(6))
described("big_endian.npy", "\2\0", "{'descr': '>f8', 'fortran_order': False, 'shape': (2,), }", string.pack(">dd", 1.5, -2))
described("truth.npy", "\3\0", '{"shape": (3L,), "fortran_order": False, "descr": "|b1"}', "\0\1\2")
for _, name in ipairs { "<u2", ">i4", ">u1", "|i1" } do
    described(name:sub(2) .. ".npy", "\1\0", ("{'descr': '%s', 'fortran_order': False, 'shape': (1,), }"):format(name), ("\7"):rep(tonumber(name:sub(3))))
end

local npz = folder "npz"
for _, compress in ipairs { true, false } do
    mr.write_npz(npz .. (compress and "deflated.npz" or "stored.npz"), { a = mr.ones(2, 3), b = mr.arange(2) }, { compress = compress })
end
for _, name in ipairs { "arrays.npz", "arrays_deflated.npz" } do text("npz", name, mr.read_text(fixtures .. name)) end

text("idx", "bytes.idx", "\0\0\8\2\0\0\0\2\0\0\0\3\1\2\3\4\5\6")
text("idx", "labels.idx", "\0\0\8\1\0\0\0\4\0\1\2\3")
text("idx", "packed.idx.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x63\x60\xe0\x60\x62\x60\x60\x00\x61\x66\x46\x26\x66\x16\x56\x36\x00\x48\x94\x3e\xe5\x12\x00\x00\x00")

-- MARK: Models and tensors

local nn = mr.nn
local function small(seed)
    return nn.sequential {
        name = "small", seed = seed, image = { 1, 4, 4 }, nn.conv { channels = 2, kernel = 3, padding = 1, name = "a" },
        nn.batch_norm { name = "bn" }, nn.relu(), nn.global_avg_pool(), nn.flatten(), nn.linear { features = 2, name = "fc" },
    }
end
local safetensors = folder "safetensors"
mr.write_safetensors(safetensors .. "tensors.safetensors", { a = mr.ones(2, 2), b = mr.arange(3), c = mr.tensor({ 1 }, { dtype = "uint8" }) })
mr.write_safetensors(safetensors .. "empty.safetensors", {})
small(1):save(safetensors .. "model.safetensors")
local function header(name, content, data) text("safetensors", name, string.pack("<s8", content) .. data) end
header("half.safetensors", '{"__metadata__":{"format":"pt"},"x":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', "\0\60\0\64")
header("wide.safetensors", '{"x":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"y":{"dtype":"I32","shape":[1,0],"data_offsets":[8,8]}}  ', ("\0"):rep(8))

local onnx = folder "onnx"
small(2):save(onnx .. "small.onnx")
mr.zoo.mlp({ hidden = { 3 }, image = { 1, 2, 2 }, classes = 2 }):save(onnx .. "mlp.onnx")
-- Of the nodes the smallest that is read for each operator, and of the nets those that are small.
local trial = os.tmpname() .. ".onnx"
local function is_read(content)
    mr.write_text(trial, content)
    return (pcall(mr.load, trial))
end
local least = {}
for name, tensor in pairs((mr.read_safetensors(fixtures .. "onnx_nodes.safetensors"))) do
    local subject, count = name:match "^([^_/@]+).*/model$", #tensor:reshape(-1)
    if subject and count <= 900 then
        local other = least[subject]
        local content = bytes(tensor)
        if (not other or count < #other.content or (count == #other.content and name < other.name)) and is_read(content) then
            least[subject] = { name = name, content = content }
        end
    end
end
for subject, entry in pairs(least) do text("onnx", subject .. ".onnx", entry.content) end
for name, tensor in pairs((mr.read_safetensors(fixtures .. "onnx_nets.safetensors"))) do
    if name:find "/model$" and #tensor:reshape(-1) <= 4096 then
        local content = bytes(tensor)
        if is_read(content) then text("onnx", name:gsub("/model$", ""):gsub("%W", "_") .. ".onnx", content) end
    end
end
os.remove(trial)

-- MARK: Pictures

for name, tensor in pairs(mr.read_npz(fixtures .. "picture_kinds.npz")) do
    if not name:find "%.pixels$" and #tensor:reshape(-1) <= 900 then text("picture", name, bytes(tensor)) end
end
for _, name in ipairs { "picture.png", "picture.jpg" } do text("picture", name, mr.read_text(fixtures .. name)) end

-- MARK: Texts

text("json", "values.json", '{"a": [1, -2.5e3, true, false, null], "b": {"c": "\\u00e9\\ud83d\\ude00\\n", "": []}, "d": {}}\n')
text("json", "loose.json", "[NaN, Infinity, -Infinity, 1e22, -0, 18446744073709551616]")
text("json", "one.json", '"x"')
text("csv", "rows.csv", 'name,value,"a ""b"""\nx,1,true\n"1",,"two\nlines"\n')
text("csv", "numbers.csv", "a,b\r\n1e5,nan\r\n-inf,007\r\n")

local net = nn.sequential {
    name = "small", seed = 1, image = { 1, 6, 6 }, nn.conv { channels = 4, kernel = 3, padding = 1, name = "a" },
    nn.batch_norm { name = "bn" }, nn.relu(), nn.conv { channels = 6, kernel = 3, padding = 1, name = "b" }, nn.relu(),
    nn.global_avg_pool(), nn.flatten(), nn.linear { features = 2, name = "fc" },
}
local images = mr.randn(8, 1, 6, 6)
local data = mr.data.from_tensors(images, mr.tensor({ 1, 2, 1, 2, 1, 2, 1, 2 }, { dtype = "int64" }), { batch = 4 })
local plan = folder "plan"
mr.plan(net, { budget = { params = 0.7 }, policy = "uniform" }):save(plan .. "plan.json")
mr.lwiq.score(net, data, { images = 8 }):save(plan .. "scores.json")
mr.sensitivity(net, data, { images = 4, formats = "C·Kh·Kw|O" }):save(plan .. "curves.json")
mr.write_json(plan .. "options.json", { budget = { macs = 0.8 }, policy = "energy", max_rank = { ["*"] = 4 }, fix = { a = 1 }, align = 2 })
mr.write_json(plan .. "frozen.json", { budget = { bytes = 0.6 }, freeze = { "a" }, formats = "C|Kh·Kw|O", classifier = true, min_rank = 2 })

local sweep = folder "sweep"
local first = true
for point in mr.sweep { sweep .. "half.json", keep = { 0.5, 1 }, policy = { "lwiq", "uniform" } } do
    if first then point:record { accuracy = 0.5, note = "x" } else point:fail "no memory" break end
    first = false
end
text("sweep", "empty.json", "")
text("sweep", "none.json", '{"axes": ["keep", "policy"], "points": []}')

-- MARK: Scripts

local scripts = {
    words = 'local t = { 1, 2, x = "y" } for k, v in pairs(t) do print(k, v) end return #t, ("a"):rep(3), string.format("%5.1f", 2)',
    pattern = 'return ("key = value"):gsub("(%w+) = (%w+)", "%2 = %1"), ("x,y"):find(",", 1, true), utf8.char(233)',
    coroutine = 'local c = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) error { b } end) c(1) return pcall(c, 2)',
    meta = 'local t = setmetatable({}, { __index = function(_, k) return k end, __close = print, __tostring = function() return "t" end }) local x <close> = t return t.y',
    tensors = 'local mr = require "moonrail" local x = mr.randn(3, 4) return (x:matmul(x:t()) + 1):sum(), x:slice(1, 2, 3), x[1]',
    network = 'local mr = require "moonrail" local m = mr.zoo.mlp { hidden = { 3 }, image = { 1, 2, 2 }, classes = 2 } print(m) return m:forward(mr.ones(1, 1, 2, 2))',
    train = 'local mr = require "moonrail" local v = mr.tt.decompose(mr.ones(3, 4, 5), { ranks = 2 }) return v:curve(), mr.rows { { a = 1 } }:csv()',
    pack = 'return string.unpack("<i4", string.pack("<i4z", 5, "x")), load("return ...")(1), select(-1, 1, 2), table.concat({ 1, 2 }, "-"), 7 // 0.0, 1 << 63',
    goto_label = 'for i = 1, 3 do if i == 2 then goto next end ::next:: end local a <const> = 5 return function(...) return a, ... end',
}
for name, script in pairs(scripts) do text("script", name .. ".lua", script .. "\n") end

-- MARK: Words that chance alone would hardly make

local function dictionary(reader, words)
    local lines, seen = {}, {}
    for _, word in ipairs(words) do
        if not seen[word] then
            seen[word] = true
            local escaped = word:gsub('[\\"]', "\\%0"):gsub("[^ -~]", function(byte) return ("\\x%02X"):format(byte:byte()) end)
            lines[#lines + 1] = '"' .. escaped .. '"\n'
        end
    end
    mr.write_text(fixtures .. "Fuzzing/" .. reader .. "/words.dict", table.concat(lines))
end

local function words_of(text)
    local words = {}
    for word in text:gmatch "%S+" do words[#words + 1] = word end
    return words
end

local calls = words_of [[and break do else elseif end false for function goto if in local nil not or repeat return then true until while
    .. ... == ~= <= >= << >> // :: <const> <close> __index __newindex __call __gc __close __mode __name __tostring __eq __len __concat
    math.huge math.mininteger string.rep string.format string.pack string.unpack string.gsub string.find table.concat table.move
    table.unpack table.sort table.insert utf8.codepoint utf8.offset coroutine.wrap coroutine.close pcall xpcall error setmetatable
    rawset rawget select load require collectgarbage 1e308 -1 0x7fffffffffffffff %q %a %s %f[ %b()]]
for _, file in ipairs { "data", "files", "meta", "networks", "results", "tensor_trains", "tensors" } do
    for name in mr.read_text("Sources/LuaBindings/Meta/" .. file .. ".lua"):gmatch "\nfunction ([%w_.:]+)" do
        calls[#calls + 1] = name:gsub("^%u%w*:", ":")
    end
end
dictionary("script", calls)

local texts = words_of [[{} [] null true false NaN Infinity -Infinity 1e308 -1 9223372036854775807 0.5 "" \ud83d\ude00 \u0000]]
dictionary("json", texts)
dictionary("sweep", table.move(words_of [["axes" "points" "keep" "policy" "lwiq" "uniform" "accuracy" "failed" "rows"]], 1, 9, #texts + 1, { table.unpack(texts) }))
local places = words_of [["layer" "ranks" "format" "formats" "max_ranks" "reason" "params" "dense_params" "macs" "rows" "policy" "classifier" "whiten"
    "whitened" "scores" "curves" "budget" "freeze" "fix" "min_rank" "max_rank" "align" "latency_batch" "latency" "bytes" "accuracy" "stderr"
    "gain" "significance" "parent" "measure" "errors" "losses" "output" "images" "holdout_images" "classes" "a" "b" "fc" "small" "auto"
    "C·Kh·Kw|O" "C|Kh·Kw|O" "uniform" "quadratic" "lwiq" "energy" "*"]]
dictionary("plan", table.move(texts, 1, #texts, #places + 1, places))
dictionary("npy", words_of [['descr' 'fortran_order' 'shape' True False '<f4' '>f8' '|b1' '<i8' 18446744073709551615 9223372036854775807 L,]])
dictionary("safetensors", words_of [["__metadata__" "dtype" "shape" "data_offsets" "F32" "F16" "BF16" "F64" "I64" "I32" "U8" "BOOL" "moonrail.graph"]])
