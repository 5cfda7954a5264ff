"""What the programs beside this one share: threads, clock, ONNX Runtime's session, and the line that they print.

Import it before numpy or torch are: how many threads their libraries start is settled then.
"""
import argparse
import importlib.metadata
import json
import os
import resource
import statistics
import sys
import tempfile
import time
import warnings

# What the libraries say about each other's versions is not ours to mend.
warnings.filterwarnings("ignore")


def options(about, **defaults):
    """Command-line options by name with their defaults; every program takes --threads and --reps (0: its own choice)."""
    parser = argparse.ArgumentParser(description=about)
    for name, default in {**defaults, "threads": 2, "reps": 0}.items():
        if isinstance(default, list):
            parser.add_argument(f"--{name}", default=default[0], choices=default, help="default: %(default)s")
        else:
            parser.add_argument(f"--{name}", default=default, type=type(default), help="default: %(default)s")
    given = parser.parse_args()
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(given.threads)
    return given


def calls(run, reps, warm, seconds=20):
    """Median, least and most milliseconds of `reps` calls after `warm`; past `seconds` three calls are enough."""
    for _ in range(min(warm, reps)):
        run()
    times, began = [], time.perf_counter()
    while len(times) < reps and (len(times) < 3 or time.perf_counter() - began < seconds):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return {"ms": statistics.median(times), "min": min(times), "max": max(times), "reps": len(times)}


def line(given, bench, **keys):
    """Prints the results as one JSON line; `rss_mb` is the most memory that this process has held, in MiB."""
    peers = [name for name in ("torch", "numpy", "onnxruntime", "tensorly", "torchtt") if name in sys.modules]
    common = {
        "bench": bench, "threads": given.threads, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "versions": {name: importlib.metadata.version(name) for name in peers},
    }
    print(json.dumps({**common, **keys}), flush=True)


def onnxruntime_call(module, x, threads):
    """A function that runs a torch module in ONNX Runtime on the images `x`."""
    import onnxruntime
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(module, (x,), path, input_names=["x"], opset_version=17, dynamo=False)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads, settings.inter_op_num_threads, settings.log_severity_level = threads, 1, 3
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    feed = {"x": x.numpy()}
    return lambda: session.run(None, feed)[0]


engines = ["onnxruntime", "jit", "channels_last", "eager"]


def inference_call(module, x, engine, threads):
    """A function that runs a torch module on `x` by one of `engines`."""
    import torch

    module = module.eval()
    if engine == "onnxruntime":
        return onnxruntime_call(module, x, threads)
    if engine == "channels_last":
        module, x = module.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    with torch.no_grad():
        if engine == "jit":
            module = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(module, x)))

    def run():
        with torch.inference_mode():
            return module(x)

    return run
