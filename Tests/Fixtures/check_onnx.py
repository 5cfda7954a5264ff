"""Checks exported models: onnx.checker passes, and ONNX Runtime's outputs agree within 1e-4 relative.

    python check_onnx.py FOLDER

FOLDER has NAME.onnx and NAME.safetensors with `input` and `output/0` ... for each model. Exit status 3 where the pip
packages onnx, onnxruntime and safetensors are missing.
"""
import pathlib
import sys

try:
    import numpy as np
    import onnx
    import onnxruntime
    from safetensors.numpy import load_file
except ImportError:
    sys.exit(3)

failed = False
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    onnx.checker.check_model(str(path), full_check=True)
    tensors = load_file(path.with_suffix(".safetensors"))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    results = session.run(None, {session.get_inputs()[0].name: tensors["input"]})
    for position, (result, info) in enumerate(zip(results, session.get_outputs())):
        expected = tensors[f"output/{position}"]
        error = np.max(np.abs(result - expected)) / max(1.0, np.max(np.abs(expected)))
        if result.shape != expected.shape or not error < 1e-4:
            failed = True
            print(f"{path.name} {info.name}: {result.shape} {expected.shape} {error}")
sys.exit(1 if failed else 0)
