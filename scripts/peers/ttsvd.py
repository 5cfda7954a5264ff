"""TT-SVD of the benchmarks' tensors by NumPy (through Gram matrices), TensorLy or torchTT.

Every bond loses at most ε‖A‖/√(d−1) (Oseledets 2011). TensorLy takes ranks instead of an error.
"""
import measure

given = measure.options(
    __doc__, case=["conv64", "conv512", "ttm4096", "t40x5"], method=["gram", "tensorly", "torchtt"], eps=0.1, ranks="")

import numpy as np

random = np.random.default_rng(1)


def normal(*shape):
    return random.standard_normal(shape, dtype=np.float32)


def norm(a):
    return float(np.linalg.norm(a.ravel()))


def with_noise(clean):
    noise = normal(*clean.shape)
    return clean + noise * np.float32(0.05 * norm(clean) / norm(noise))


def sum_of_products(shape, terms):
    """Σ i^-½ a_i ⊗ b_i ⊗ … with unit vectors."""
    left = np.arange(1, terms + 1, dtype=np.float32)[None] ** np.float32(-0.5)
    factors = [normal(extent, terms) for extent in shape]
    factors = [factor / np.linalg.norm(factor, axis=0) for factor in factors]
    for factor in factors[:-1]:
        left = (left[:, None] * factor).reshape(-1, terms)
    return with_noise((left @ factors[-1].T).reshape(shape))


def random_train(shape, rank):
    product = np.ones((1, 1), np.float32)
    for k, extent in enumerate(shape):
        after = 1 if k == len(shape) - 1 else rank
        product = (product @ normal(product.shape[1], extent * after)).reshape(-1, after)
    return with_noise(product.reshape(shape))


def gram_svd(m):
    """U, s and s·Vᵀ through the eigenvectors of the smaller Gram matrix."""
    if m.shape[0] > m.shape[1]:
        values, v = np.linalg.eigh((m.T @ m).astype(np.float64))
        s = np.sqrt(np.maximum(values[::-1], 1e-30)).astype(np.float32)
        v = v[:, ::-1].astype(np.float32)
        return (m @ v) / s, s, s[:, None] * v.T
    values, u = np.linalg.eigh((m @ m.T).astype(np.float64))
    u = u[:, ::-1].astype(np.float32)
    return u, np.sqrt(np.maximum(values[::-1], 0)).astype(np.float32), u.T @ m


def smallest_rank(s, allowed):
    """The least number of singular values whose rest has a norm of at most `allowed`."""
    rest = np.sqrt(np.cumsum((s.astype(np.float64) ** 2)[::-1])[::-1])
    return max(1, int(np.count_nonzero(rest > allowed)))


def by_gram(a):
    allowed, rank, rest, cores = given.eps * norm(a) / np.sqrt(a.ndim - 1), 1, a, []
    for extent in a.shape[:-1]:
        u, s, rest = gram_svd(rest.reshape(rank * extent, -1))
        kept = smallest_rank(s, allowed)
        cores.append(u[:, :kept].reshape(rank, extent, kept))
        rest, rank = rest[:kept], kept
    return cores + [rest.reshape(rank, a.shape[-1], 1)]


def by_tensorly(a):
    from tensorly.decomposition import tensor_train

    if not given.ranks:
        raise SystemExit("TensorLy takes no error: give --ranks, such as those that Moonrail found")
    return list(tensor_train(a, rank=[1, *map(int, given.ranks.split(",")), 1]))


def by_torchtt(a):
    import torch
    import torchtt

    torch.set_num_threads(given.threads)
    return [core.numpy() for core in torchtt.TT(torch.from_numpy(a), eps=given.eps).cores]


def reconstruction(cores):
    product = np.ones((1, 1), np.float32)
    for core in cores:
        product = (product @ core.reshape(core.shape[0], -1)).reshape(-1, core.shape[2])
    return product


makers = {
    "conv64": lambda: sum_of_products((64, 9, 64), 96),
    "conv512": lambda: sum_of_products((512, 9, 512), 384),
    "ttm4096": lambda: sum_of_products((64, 64, 64, 64), 32),
    "t40x5": lambda: random_train((40,) * 5, 10),
}
tensor = makers[given.case]()
cores, decompose = [], {"gram": by_gram, "tensorly": by_tensorly, "torchtt": by_torchtt}[given.method]


def run():
    cores[:] = decompose(tensor)


is_small = tensor.size < 1_000_000
times = measure.calls(run, given.reps or (15 if is_small else 5), warm=1 if is_small else 0)
error = norm(reconstruction(cores).ravel() - tensor.ravel()) / norm(tensor)
measure.line(
    given, "ttsvd", case=given.case, mode=f"eps={given.eps:g}", engine=given.method, ranks=[core.shape[2] for core in cores[:-1]],
    relerr=error, ratio=tensor.size / sum(core.size for core in cores), **times)
