"""Golden values of TT-SVD by TensorLy, for Tests/DecompositionTests/GoldenTrainTests.swift.

Command:   python make_tensor_trains.py      (writes tensor_trains.safetensors beside this file)
Versions:  Python 3.11, tensorly 0.10.0 (NumPy backend), numpy 2.4.6, safetensors 0.8.0

For every case NAME: NAME/x the input, NAME/reconstruction TensorLy's train of the ranks in the metadata multiplied
out, NAME/error its relative error, and NAME/spectrum0 … the singular values of the unfoldings, from NumPy in double
precision. Reconstructions are compared, not cores: singular vectors are known up to sign only.
"""

import json
import pathlib

import numpy as np
import tensorly as tl
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
    path = pathlib.Path(__file__).with_name("tensor_trains.safetensors")
    save_file(arrays, path, metadata={"cases": json.dumps(attributes)})


main()
