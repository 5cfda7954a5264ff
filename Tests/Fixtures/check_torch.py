"""Checks exported modules: PyTorch's outputs agree within 1e-4 relative.

    python check_torch.py FOLDER

FOLDER has NAME.py, NAME.weights.safetensors and NAME.golden, a safetensors file with `input` and `output/0` ..., for each
network. Prints the largest difference of each; exit status 3 where the pip packages torch and safetensors are missing.
"""
import importlib.util
import pathlib
import sys

try:
    import torch
    from safetensors.torch import load_file
except ImportError:
    sys.exit(3)

failed = False
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    golden = load_file(path.with_suffix(".golden"))
    with torch.no_grad():
        results = module.load()(golden["input"])
    results = results if isinstance(results, tuple) else (results,)
    failed = failed or f"output/{len(results)}" in golden
    for position, result in enumerate(results):
        expected = golden[f"output/{position}"]
        same = result.shape == expected.shape
        error = float((result - expected).abs().max()) if same else float("inf")
        if not error < 1e-4 * max(1.0, float(expected.abs().max())):
            failed = True
        print(f"{path.name} {position}: {tuple(result.shape)} {tuple(expected.shape)} {error:.2e}")
sys.exit(1 if failed else 0)
