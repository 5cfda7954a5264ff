"""ONNX's own backend tests for the operators that Moonrail reads: models, inputs and expected outputs in one file.

    python make_onnx_nodes.py onnx_nodes.safetensors          # the committed fixture: cases up to 40 KB
    python make_onnx_nodes.py --all /tmp/all.safetensors      # every case

Needs the pip packages onnx and safetensors. A case NAME is NAME/model (the file's bytes), NAME/input/0 ... and
NAME/output/0 ...; floats are kept as float32 and whole numbers as int64, the types that Moonrail's tensors have.
"""
import os
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper, version_converter
from onnx.backend.test.case.node import collect_testcases
from safetensors.numpy import save_file

OPERATORS = """Conv ConvTranspose BatchNormalization Relu LeakyRelu PRelu Sigmoid HardSigmoid HardSwish Clip Tanh Gelu
Softmax LogSoftmax MaxPool AveragePool GlobalAveragePool Gemm MatMul Add Sub Mul Div Pow Sqrt Erf Concat Split Slice Pad
Flatten Reshape Transpose Squeeze Unsqueeze Resize ReduceMean Dropout Identity Constant ConstantOfShape Shape Gather
Cast Expand LayerNormalization""".split()
LIMIT = 40_000


def plain(array):
    """The array as float32 or int64; None where neither can stand for it."""
    if not isinstance(array, np.ndarray):
        return None
    if array.dtype == np.bool_ or array.dtype.kind in "iu":
        return np.ascontiguousarray(array.astype(np.int64))
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(array.astype(np.float32))
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


def all_cases():
    yield from node_cases()
    yield from packaged_cases("pytorch-converted")
    yield from packaged_cases("pytorch-operator")


def main(path, takes_all):
    tensors = {}
    count = 0
    for name, model, (inputs, outputs) in all_cases():
        used = {node.op_type for node in model.graph.node}
        if not used <= set(OPERATORS) or (len(model.graph.node) > 1 and "/" not in name):
            continue
        arrays = [plain(a) for a in list(inputs) + list(outputs)]
        if any(a is None for a in arrays):
            continue
        data = np.frombuffer(model.SerializeToString(), dtype=np.uint8)
        if not takes_all and data.nbytes + sum(a.nbytes for a in arrays) > LIMIT:
            continue
        tensors[f"{name}/model"] = data
        for position, array in enumerate(arrays):
            kind = ("input", position) if position < len(inputs) else ("output", position - len(inputs))
            tensors[f"{name}/{kind[0]}/{kind[1]}"] = array
        count += 1
    save_file(tensors, path, metadata={"onnx": onnx.__version__})
    print(f"{count} cases in {path}, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--all"]
    main(arguments[0], "--all" in sys.argv)
