"""Eight-bit integers by ONNX Runtime: the dense network with quantised weights, per channel, and what it still gets right.

    python int8.py --model DENSE.onnx --images IMAGES.npy --test TEST.npy --labels LABELS.npy --out FOLDER

Dynamic quantisation needs no images; static quantisation takes the ranges of activations from IMAGES. Prints a JSON line for
each. Scheme: Jacob, Kligys, Chen, Zhu, Tang, Howard, Adam and Kalenichenko, Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference, 2017, arXiv:1712.05877; the program is that of ONNX Runtime.
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent))
import measure

given = measure.options(__doc__, model="", images="", test="", labels="", out=".", batch=100)

import json
import logging
import time

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

logging.disable(logging.WARNING)


class Images(CalibrationDataReader):
    """The calibration images, in batches, as ONNX Runtime asks for them."""

    def __init__(self, name):
        images = np.load(given.images)
        self.batches = iter([{name: images[i : i + given.batch]} for i in range(0, len(images), given.batch)])

    def get_next(self):
        return next(self.batches, None)


def session(path):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads, settings.log_severity_level = given.threads, 1, 3
    return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


def accuracy(path):
    """The share of the test images that the file gets right. Labels count from 1, as Moonrail writes them."""
    run, images, labels = session(path), np.load(given.test), np.load(given.labels).reshape(-1)
    name, right = run.get_inputs()[0].name, 0
    for start in range(0, len(images), given.batch):
        logits = run.run(None, {name: images[start : start + given.batch]})[0]
        right += int((logits.argmax(1) + 1 == labels[start : start + given.batch]).sum())
    return right / len(images)


def main():
    folder = pathlib.Path(given.out)
    prepared = str(folder / "int8-prepared.onnx")
    # Folds batch norm into convolutions, which quantisation needs. Shapes are known without symbols here.
    quant_pre_process(given.model, prepared, skip_symbolic_shape=True)
    name = session(prepared).get_inputs()[0].name
    for kind in ("dynamic", "static"):
        start, path = time.perf_counter(), str(folder / f"int8-{kind}.onnx")
        if kind == "dynamic":
            quantize_dynamic(prepared, path, per_channel=True, weight_type=QuantType.QInt8)
        else:
            quantize_static(
                prepared, path, Images(name), quant_format=QuantFormat.QDQ, per_channel=True, weight_type=QuantType.QInt8,
                activation_type=QuantType.QUInt8)
        seconds = time.perf_counter() - start
        line = {"method": f"int8 {kind}", "file": path, "bytes": pathlib.Path(path).stat().st_size, "accuracy": accuracy(path)}
        print(json.dumps({**line, "seconds": seconds}), flush=True)


main()
