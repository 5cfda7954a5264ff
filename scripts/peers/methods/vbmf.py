"""The rank of a noisy matrix by empirical variational Bayesian matrix factorisation.

Source: Nakajima, Sugiyama, Babacan and Tomioka, Global Analytic Solution of Fully-Observed Variational Bayesian Matrix
Factorization, Journal of Machine Learning Research 14, 2013, pages 1–37: Theorem 2 (the threshold) and Corollary 1 (the noise).
"""
import math

import torch


def _free_energy(variance, s, rows, columns, limit):
    """What the noise's variance makes least, up to a constant; `s` are the singular values of a rows × columns matrix."""
    alpha = rows / columns
    x = s**2 / (columns * variance)
    kept, lost = x[x > limit], x[x <= limit]
    middle = kept - (1 + alpha)
    tau = (middle + (middle**2 - 4 * alpha).sqrt()) / 2
    return float(
        (lost - lost.log()).sum() + (kept - tau).sum() + ((tau + 1) / kept).log().sum() + alpha * (tau / alpha + 1).log().sum())


def rank(matrix):
    """How many singular values stand out of the noise, whose variance is estimated from the matrix itself."""
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    rows, columns = matrix.shape
    s = torch.linalg.svdvals(matrix.double())
    # A matrix without any noise has values of zero, whose logarithm is none.
    s = s.clamp(min=1e-9 * s[0])
    alpha = rows / columns
    # 2.5129 √α is the paper's approximation of the root that the threshold is made of.
    tau = 2.5129 * math.sqrt(alpha)
    limit = (1 + tau) * (1 + alpha / tau)

    # The noise explains everything at most, and at least the smallest values, of which there are always some.
    most = min(math.ceil(rows / (1 + alpha)) - 1, len(s) - 1)
    rest = s[most:] ** 2
    low = max(float(rest[0]) / (columns * limit), float(rest.mean()) / columns)
    high = max(low, float((s**2).sum()) / (rows * columns))
    # The energy has several dips where singular values change sides: a grid first, then thirds around its best place.
    grid = torch.logspace(math.log10(low), math.log10(high), 200, dtype=torch.double).tolist()
    best = min(range(len(grid)), key=lambda i: _free_energy(grid[i], s, rows, columns, limit))
    low, high = grid[max(0, best - 1)], grid[min(len(grid) - 1, best + 1)]
    for _ in range(60):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        if _free_energy(a, s, rows, columns, limit) <= _free_energy(b, s, rows, columns, limit):
            high = b
        else:
            low = a
    return int((s**2 > columns * low * limit).sum())
