"""Truncated singular value decomposition with the same share of the parameters kept in every layer.

Source: Zhang, Zou, He and Sun, Accelerating Very Deep Convolutional Networks for Classification and Detection, 2015,
arXiv:1505.06798 (their decomposition without the response reconstruction). The weight as a matrix O × (C·Kh·Kw) becomes a
Kh×Kw convolution to r channels and a 1×1 convolution. This is the plainest of all methods, to measure the others by.
"""
import torch

import chains
from budget import Factorized


class UniformSVD(Factorized):
    packages = ()

    def choose(self, knob, kind):
        """The rank that keeps the share `knob` of each layer's weights, and whole layers at 1."""
        ranks = {}
        for layer in self.network.inner_layers:
            rows, columns = layer.matrix_shape
            rank = max(1, int(knob * rows * columns / (rows + columns)))
            if self.is_smaller(layer, rank, kind):
                ranks[layer.name] = rank
        return ranks

    def full(self):
        """The ranks at which nothing is lost, for the check."""
        return {layer.name: min(layer.matrix_shape) for layer in self.network.inner_layers}

    def chain_cost(self, layer, rank):
        return chains.pair_cost(layer, rank)

    def chain(self, layer, rank):
        u, s, v = torch.linalg.svd(layer.matrix, full_matrices=False)
        root = s[:rank].sqrt()
        return chains.pair(layer, u[:, :rank] * root, root[:, None] * v[:rank])
