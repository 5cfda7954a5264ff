"""ONNX's own backend tests for the operators that Moonrail reads: models, inputs and expected outputs in one file.

    python make_onnx_nodes.py onnx_nodes.safetensors WHEEL ...    # the committed fixture: cases up to 40 KB
    python make_onnx_nodes.py --all /tmp/all.safetensors          # every case of the package that is installed

Needs the pip packages onnx and safetensors. The package's tests are for the newest version of each operator; those for
earlier opsets are in the wheels of earlier releases, of which the fixture has cases up to 4 KB:

    for version in 1.5.0:3.7 1.7.0:3.8 1.8.1:3.8 1.10.2:3.9 1.12.0:3.9 1.13.1:3.10 1.14.1:3.10 1.16.2:3.11; do
        pip download --no-deps --only-binary :all: --python-version ${version#*:} --platform manylinux1_x86_64 \\
            --platform manylinux2010_x86_64 --platform manylinux2014_x86_64 --platform manylinux_2_12_x86_64 \\
            --platform manylinux_2_17_x86_64 onnx==${version%:*}
    done

A case NAME is NAME/model (the file's bytes), NAME/input/0 ... and NAME/output/0 ...; floats are kept as float32 and
whole numbers as int64, the types that Moonrail's tensors have. Cases of earlier opsets are called NAME@OPSET.
"""
import os
import re
import sys
import warnings
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper, version_converter
from onnx.backend.test.case.node import collect_testcases
from safetensors.numpy import save_file

OPERATORS = """Conv ConvTranspose BatchNormalization Relu LeakyRelu PRelu Sigmoid HardSigmoid HardSwish Clip Tanh Gelu
Softmax LogSoftmax MaxPool AveragePool GlobalAveragePool Gemm MatMul Add Sub Mul Div Pow Sqrt Erf Concat Split Slice Pad
Flatten Reshape Transpose Squeeze Unsqueeze Resize ReduceMean Dropout Identity Constant ConstantOfShape Shape Gather
Cast Expand LayerNormalization Elu Softplus Mish""".split()
LIMIT = 40_000
EARLIER_LIMIT = 4_000


def plain(array):
    """The array as float32 or int64; None where neither can stand for it."""
    if isinstance(array, np.generic):
        array = np.asarray(array)
    if not isinstance(array, np.ndarray):
        return None
    if array.dtype == np.bool_ or array.dtype.kind in "iu":
        return np.array(array, np.int64, order="C")
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(array, np.float32, order="C")
    return None


def node_cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = collect_testcases(None)
    for case in cases:
        yield case.name.removeprefix("test_"), case.model, case.data_sets[0]


def packaged_cases(kind):
    """Operators and modules as PyTorch exported them long ago, brought to opset 9 where they are older."""
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", kind)
    for name in sorted(os.listdir(root)):
        folder = os.path.join(root, name)
        data = os.path.join(folder, "test_data_set_0")

        def arrays(prefix):
            count = len([file for file in os.listdir(data) if file.startswith(prefix)])
            for position in range(count):
                with open(os.path.join(data, f"{prefix}_{position}.pb"), "rb") as file:
                    yield numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))

        model = onnx.load(os.path.join(folder, "model.onnx"))
        if model.opset_import[0].version < 9:
            try:
                model = version_converter.convert_version(model, 9)
            except RuntimeError:
                continue
        yield f"{kind}/{name.removeprefix('test_')}", model, (list(arrays("input")), list(arrays("output")))


def opset(model):
    return next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 1)


def earlier_cases(wheel):
    """The tests of single operators in the wheel of an earlier release."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

        def arrays(prefix):
            position = 0
            while f"{prefix}_{position}.pb" in names:
                yield numpy_helper.to_array(onnx.TensorProto.FromString(archive.read(f"{prefix}_{position}.pb")))
                position += 1

        for file in sorted(names):
            found = re.fullmatch(r"(onnx/backend/test/data/node/test_([^/]+))/model\.onnx", file)
            if not found:
                continue
            model = onnx.ModelProto.FromString(archive.read(file))
            if len(model.graph.node) != 1 or model.graph.node[0].op_type not in OPERATORS or opset(model) < 9:
                continue
            try:
                data = [list(arrays(f"{found[1]}/test_data_set_0/{kind}")) for kind in ("input", "output")]
            except ValueError:
                # Optional values and sequences, which are no tensors.
                continue
            values = list(model.graph.input) + list(model.graph.output)
            if any(v.type.tensor_type.elem_type == onnx.TensorProto.BFLOAT16 for v in values):
                continue  # written down as whole numbers, the bits of the values
            yield found[2], model, data


def all_cases():
    yield from node_cases()
    yield from packaged_cases("pytorch-converted")
    yield from packaged_cases("pytorch-operator")


def main(path, takes_all, wheels):
    tensors = {}
    seen = set()

    def add(name, model, inputs, outputs, limit):
        arrays = [plain(a) for a in list(inputs) + list(outputs)]
        data = np.frombuffer(model.SerializeToString(), dtype=np.uint8)
        if any(a is None for a in arrays) or data.nbytes + sum(a.nbytes for a in arrays) > limit:
            return
        tensors[f"{name}/model"] = data
        for position, array in enumerate(arrays):
            kind = ("input", position) if position < len(inputs) else ("output", position - len(inputs))
            tensors[f"{name}/{kind[0]}/{kind[1]}"] = array

    for name, model, (inputs, outputs) in all_cases():
        used = {node.op_type for node in model.graph.node}
        if used <= set(OPERATORS) and (len(model.graph.node) == 1 or "/" in name):
            seen.add((name, opset(model)))
            add(name, model, inputs, outputs, float("inf") if takes_all else LIMIT)
    for wheel in wheels:
        for name, model, (inputs, outputs) in earlier_cases(wheel):
            if (name, opset(model)) not in seen:
                seen.add((name, opset(model)))
                add(f"{name}@{opset(model)}", model, inputs, outputs, EARLIER_LIMIT)
    save_file(tensors, path, metadata={"onnx": onnx.__version__})
    count = len([name for name in tensors if name.endswith("/model")])
    print(f"{count} cases in {path}, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--all"]
    main(arguments[0], "--all" in sys.argv, arguments[1:])
