"""BALF: activation-aware singular value decomposition, with ranks by a Lagrangian budget.

Source: González Martínez, BALF: Budgeted Activation-Aware Low-Rank Factorization for Fine-Tuning-Free Model Compression,
2025, arXiv:2509.25136. This is a re-implementation from the paper's description, not the author's program. Grouped
convolutions, which the paper also cuts, stay whole here.

A layer with the matrix W [O, C·Kh·Kw] sees inputs x with G = E[x xᵀ] = M². The best matrix of rank r for its outputs is that
of the singular value decomposition of W·M, times the pseudo-inverse of M. The squares of the singular values are the outputs'
energy. Ranks maximise the sum over layers of the share of the energy that is kept, minus λ times the cost; a larger λ means
a smaller model, so that λ is found by bisection.
"""
import torch

import chains
from budget import Factorized

# Directions that the images hardly have are left out of the pseudo-inverse: what W does with them was never seen.
NEGLIGIBLE = 1e-10


class BALF(Factorized):
    packages = ()

    def __init__(self, network, seed):
        super().__init__(network, seed)
        self.factors = {name: self._factors(self.by_name[name], moment) for name, moment in network.moments().items()}

    @staticmethod
    def _factors(layer, moment):
        """Left singular vectors, singular values, and right vectors behind the pseudo-inverse of the root of G."""
        values, vectors = torch.linalg.eigh(moment)
        seen = values > NEGLIGIBLE * values[-1]
        values, vectors = values[seen].sqrt(), vectors[:, seen]
        u, s, v = torch.linalg.svd((layer.matrix @ vectors) * values, full_matrices=False)
        return u, s, (v / values) @ vectors.T

    def choose(self, knob, kind):
        """For each layer the rank of the largest kept energy − λ · cost; a layer that gains nothing by it stays whole."""
        price = 10.0 ** (6 - 12 * knob)
        ranks = {}
        for name, (_, s, _) in self.factors.items():
            layer, dense = self.by_name[name], getattr(self.network.cost, kind)
            limit = min(len(s), chains.pair_limit(layer))
            energy = (s**2).cumsum(0)[:limit] / (s**2).sum()
            # The cost of a pair is a straight line in the rank.
            least, slope = (getattr(chains.pair_cost(layer, rank), kind) for rank in (1, 2))
            cost = least + (slope - least) * torch.arange(limit, dtype=torch.double)
            values = energy - price * cost / dense
            best = int(values.argmax())
            if values[best] > 1 - price * getattr(layer.cost, kind) / dense and self.is_smaller(layer, best + 1, kind):
                ranks[name] = best + 1
        return ranks

    def full(self):
        """The ranks at which nothing of what the images show is lost, for the check."""
        return {name: len(s) for name, (_, s, _) in self.factors.items()}

    def chain_cost(self, layer, rank):
        return chains.pair_cost(layer, rank)

    def chain(self, layer, rank):
        u, s, right = self.factors[layer.name]
        root = s[:rank].sqrt()
        return chains.pair(layer, u[:, :rank] * root, root[:, None] * right[:rank])
