"""Milliseconds of ONNX files in Moonrail and in ONNX Runtime, on the same two threads.

    python onnxruntime_speed.py FILE.onnx …

The median of 20 runs for one image and of 4 for 32. Needs the pip packages onnxruntime and numpy, and a built Moonrail.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime

THREADS = 2
COMMAND = os.environ.get("MOONRAIL") or str(pathlib.Path(__file__).parent.parent / "moonrail")
SCRIPT = """
local mr = require "moonrail"
mr.threads(tonumber(arg[4]))
print(mr.load(arg[1]):latency { batch = tonumber(arg[2]), runs = tonumber(arg[3]) }.ms)
"""


def ours(path, batch, runs):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT)
        script.flush()
        return float(subprocess.run(
            [COMMAND, "run", script.name, path, str(batch), str(runs), str(THREADS)], check=True, capture_output=True, text=True).stdout)


def theirs(path, batch, runs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = THREADS, 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    x = np.random.default_rng(0).standard_normal([batch, *entry.shape[1:]]).astype(np.float32)
    times = []
    for _ in range(runs + 2):
        start = time.perf_counter()
        session.run(None, {entry.name: x})
        times.append(1e3 * (time.perf_counter() - start))
    return sorted(times[2:])[runs // 2]


print(f"{'file':32} {'batch':>5} {'Moonrail':>10} {'ONNX Runtime':>13} {'ratio':>6}")
for path in sys.argv[1:]:
    for batch, runs in ((1, 20), (32, 4)):
        a, b = ours(path, batch, runs), theirs(path, batch, runs)
        print(f"{pathlib.Path(path).name:32} {batch:5} {a:10.2f} {b:13.2f} {a / b:6.2f}", flush=True)
