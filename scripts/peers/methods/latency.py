"""Time of ONNX files in ONNX Runtime as a ratio to the dense file's, at batch 1.

    python latency.py --dense DENSE.onnx --files A.onnx,B.onnx --rounds 7

Each file takes turns with the dense one in this process, so that a machine whose speed drifts slows both alike. Prints a JSON
line for each file: the median over rounds of the ratio of the least milliseconds, and its range.
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent))
import measure

given = measure.options(__doc__, dense="", files="", rounds=7)

import json
import statistics
import time

import numpy as np
import onnxruntime

RUNS = given.reps or 60


def call(path):
    """A function that runs the file on one image."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads, settings.log_severity_level = given.threads, 1, 3
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    feed = {entry.name: np.random.default_rng(0).standard_normal([1, *entry.shape[1:]]).astype(np.float32)}
    return lambda: session.run(None, feed)


def least_milliseconds(run):
    """The fastest of RUNS calls: what other programs take away can only make a call slower."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return min(times)


dense = call(given.dense)
least_milliseconds(dense)
for path in filter(None, given.files.split(",")):
    small = call(path)
    least_milliseconds(small)
    pairs = [(least_milliseconds(dense), least_milliseconds(small)) for _ in range(given.rounds)]
    ratios = [after / before for before, after in pairs]
    print(json.dumps({
        "file": path, "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
        "ms": statistics.median(after for _, after in pairs), "dense_ms": statistics.median(before for before, _ in pairs),
        "threads": given.threads, "onnxruntime": onnxruntime.__version__,
    }), flush=True)
