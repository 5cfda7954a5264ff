"""Golden values of TT-SVD by TensorLy and torchTT, for Tests/DecompositionTests/GoldenTrainTests.swift.

Command:   python make_tensor_trains.py      (writes tensor_trains.safetensors beside this file)
Versions:  Python 3.11, tensorly 0.10.0 (NumPy backend), numpy 2.4.6, safetensors 0.8.0, torchtt 0.5.0, torch 2.15.0+cu132

For every case NAME: NAME/x the input, NAME/reconstruction TensorLy's train of the ranks in the metadata multiplied
out, NAME/error its relative error, and NAME/spectrum0 … the singular values of the unfoldings, from NumPy in double
precision. Reconstructions are compared, not cores: singular vectors are known up to sign only.

From torchTT, in double precision: epsilon/NAME/E/ranks its ranks of NAME/x at the relative error E; arithmetic/a0 … and
b0 … the cores of two trains, with their sum, product (element by element), dot product and norms, and the sum of a and
2·a rounded; operator/weight, operator/full its TT-matrix of the factors in the metadata at the error 0.2, and operator/y that
times operator/x.
"""

import json
import pathlib

import numpy as np
import tensorly as tl
import torch
import torchtt
from safetensors.numpy import save_file
from tensorly.decomposition import tensor_train

CASES = {  # name: (shape, ranks)
    "matrix": ([12, 20], [5]),
    "third_order": ([6, 7, 8], [3, 4]),
    "convolution": ([16, 9, 24], [5, 9]),
    "fourth_order": ([5, 3, 4, 6], [3, 6, 4]),
    "fifth_order": ([3, 4, 3, 4, 3], [2, 5, 4, 2]),
    "rank_one": ([6, 7, 8], [1, 1]),
}


EPSILONS = [0.3, 0.05]
ROWS, COLUMNS = [4, 3, 2], [2, 5, 3]


def with_torchtt(arrays):
    random = np.random.default_rng(20240802)
    for name in CASES:
        x = torch.from_numpy(arrays[f"{name}/x"].astype(np.float64))
        for epsilon in EPSILONS:
            ranks = torchtt.TT(x, eps=epsilon).R[1:-1]
            arrays[f"epsilon/{name}/{epsilon}/ranks"] = np.array(ranks, np.int64)

    def train(letter, modes, ranks):
        ends = [1, *ranks, 1]
        cores = [random.standard_normal((ends[k], n, ends[k + 1])).astype(np.float32) for k, n in enumerate(modes)]
        for k, core in enumerate(cores):
            arrays[f"arithmetic/{letter}{k}"] = core
        return torchtt.TT([torch.from_numpy(core.astype(np.float64)) for core in cores])

    def keep(name, value):
        arrays[f"arithmetic/{name}"] = np.asarray(value, dtype=np.float32).reshape(np.shape(value) or (1,))

    a, b = train("a", [4, 5, 3, 6], [3, 4, 2]), train("b", [4, 5, 3, 6], [2, 3, 5])
    keep("sum", (a + b).full().numpy())
    keep("product", (a * b).full().numpy())
    keep("dot", float(torchtt.dot(a, b)))
    keep("norms", [float(a.norm()), float(b.norm())])
    rounded = (a + 2 * a).round(1e-8)
    assert list(rounded.R) == [1, 3, 4, 2, 1]
    keep("rounded", rounded.full().numpy())

    rows, columns = int(np.prod(ROWS)), int(np.prod(COLUMNS))
    weight = random.standard_normal((rows, 6)) @ random.standard_normal((6, columns))
    weight = (weight + 0.1 * random.standard_normal(weight.shape)).astype(np.float32)
    tensor = torch.from_numpy(weight.astype(np.float64)).reshape(ROWS + COLUMNS)
    matrix = torchtt.TT(tensor, shape=list(zip(ROWS, COLUMNS)), eps=0.2)
    x = random.standard_normal(columns).astype(np.float32)
    y = matrix @ torch.from_numpy(x.astype(np.float64)).reshape(COLUMNS)
    arrays["operator/weight"], arrays["operator/x"] = weight, x
    arrays["operator/full"] = matrix.full().numpy().reshape(rows, columns).astype(np.float32)
    arrays["operator/y"] = y.numpy().reshape(-1).astype(np.float32)
    arrays["operator/ranks"] = np.array(matrix.R[1:-1], np.int64)


def main():
    random = np.random.default_rng(20240801)
    arrays, attributes = {}, {}
    for name, (shape, ranks) in CASES.items():
        # Sums of outer products with falling weights: spectra that fall, as those of trained weights do.
        x = np.zeros(shape)
        for term in range(10):
            vectors = [random.standard_normal(n) for n in shape]
            x += 0.6**term * np.einsum(",".join("abcde"[: len(shape)]) + "->" + "abcde"[: len(shape)], *vectors)
        x += 0.02 * random.standard_normal(shape)
        x = x.astype(np.float32)
        train = tensor_train(tl.tensor(x.astype(np.float64)), rank=[1, *ranks, 1])
        assert list(train.rank) == [1, *ranks, 1]
        y = tl.tt_to_tensor(train)
        arrays[f"{name}/x"] = x
        arrays[f"{name}/reconstruction"] = y.astype(np.float32)
        arrays[f"{name}/error"] = np.array([np.linalg.norm(y - x) / np.linalg.norm(x)], np.float32)
        for bond in range(len(shape) - 1):
            unfolding = x.astype(np.float64).reshape(int(np.prod(shape[: bond + 1])), -1)
            arrays[f"{name}/spectrum{bond}"] = np.linalg.svd(unfolding, compute_uv=False).astype(np.float32)
        attributes[name] = {"ranks": ranks}
    with_torchtt(arrays)
    path = pathlib.Path(__file__).with_name("tensor_trains.safetensors")
    save_file(arrays, path, metadata={"cases": json.dumps(attributes), "operator": json.dumps({"rows": ROWS, "columns": COLUMNS})})


main()
