"""Canonical polyadic (CP) decomposition by TensorLy, with the same share of the parameters kept in every layer.

Source: Lebedev, Ganin, Rakhuba, Oseledets and Lempitsky, Speeding-up Convolutional Neural Networks Using Fine-tuned
CP-Decomposition, 2015, arXiv:1412.6553. The factors are TensorLy's (Kossaifi, Panagakis, Anandkumar and Pantic, TensorLy: Tensor
Learning in Python, 2019, arXiv:1610.09555) by alternating least squares; the chain of four convolutions is built here.
Layers with a 1×1 kernel and linear layers are matrices, whose CP decomposition is a singular value decomposition.
"""
import torch

import chains
from budget import Factorized

# Alternating least squares gains little after as many rounds, and begins with random factors, by the seed.
ROUNDS, TOLERANCE = 100, 1e-6


class CP(Factorized):
    packages = ("tensorly",)

    @staticmethod
    def _has_kernel(layer):
        return layer.is_convolution and layer.module.kernel_size != (1, 1)

    def choose(self, knob, kind):
        """The rank that keeps the share `knob` of each layer's weights, and whole layers at 1."""
        ranks = {}
        for layer in self.network.inner_layers:
            weight = layer.module.weight
            size_of_rank = sum(weight.shape) if self._has_kernel(layer) else sum(layer.matrix_shape)
            rank = max(1, int(knob * weight.numel() / size_of_rank))
            if self.is_smaller(layer, rank, kind):
                ranks[layer.name] = rank
        return ranks

    def chain_cost(self, layer, rank):
        return chains.cp_cost(layer, rank) if self._has_kernel(layer) else chains.pair_cost(layer, rank)

    def chain(self, layer, rank):
        if not self._has_kernel(layer):
            u, s, v = torch.linalg.svd(layer.matrix, full_matrices=False)
            return chains.pair(layer, u[:, :rank] * s[:rank], v[:rank])
        return chains.cp(layer, *self.factors(layer.module.weight.detach(), rank))

    def factors(self, weight, rank):
        """Factors [O, R], [C, R], [Kh, R] and [Kw, R] of a weight [O, C, Kh, Kw]."""
        import tensorly
        from tensorly.decomposition import parafac

        tensorly.set_backend("pytorch")
        torch.manual_seed(self.seed)
        weights, factors = parafac(
            weight.double(), rank, n_iter_max=ROUNDS, tol=TOLERANCE, init="random", random_state=self.seed, normalize_factors=True)
        # One number a term, which all four factors take an equal part of, so that none of them is extreme.
        part = weights.abs() ** 0.25
        return [factor * part * (weights.sign() if i == 0 else 1) for i, factor in enumerate(factors)]
