"""ALDS: the automatic layer-wise decomposition selector, which makes the largest relative error of all layers least.

Source: Liebenwein, Maalouf, Gal, Feldman and Rus, Compressing Neural Networks: Towards Determining the Optimal Layer-wise
Decomposition, 2021, arXiv:2107.11442. This is a re-implementation from the paper, not the authors' program (torchprune).

The input channels of a convolution are divided into k parts, and the part of the weight that belongs to each becomes a pair of
rank j of its own: a grouped Kh×Kw convolution, then a 1×1 convolution. The relative error of a layer is at most √k times the
largest singular value that a part loses, over the largest of the whole layer. The paper alternates between one error for all
layers and the best k of each, from random starts. For a given error the cheapest (k, j) of each layer can be looked up, so
that here the error alone is bisected, which finds what the paper's search looks for without random starts.
Linear layers are not divided: PyTorch has no grouped linear layer.
"""
import math

import torch

import chains
from budget import Factorized


class ALDS(Factorized):
    packages = ()

    def __init__(self, network, seed):
        super().__init__(network, seed)
        self.options = {layer.name: self._options(layer) for layer in network.layers}

    @staticmethod
    def _parts(layer, count):
        """The parts [count, O, C·Kh·Kw / count] of the matrix; input channels come first in its columns."""
        rows, columns = layer.matrix_shape
        return layer.matrix.reshape(rows, count, columns // count).transpose(0, 1)

    def _options(self, layer):
        """For each number of parts: the bound of the relative error by rank, from rank 1 on; 0 at the end."""
        counts = [1]
        if layer.is_convolution:
            counts = [2**i for i in range(7) if layer.module.in_channels % 2**i == 0]
        largest = torch.linalg.matrix_norm(layer.matrix, 2)
        bounds = {}
        for count in counts:
            values = torch.linalg.svdvals(self._parts(layer, count)).amax(0)
            bounds[count] = torch.cat([math.sqrt(count) * values[1:] / largest, values.new_zeros(1)])
        return bounds

    def choose(self, knob, kind):
        """Of each layer the cheapest (k, j) whose error is at most 1 − knob."""
        ranks = {}
        for layer in self.network.layers:
            fitting = []
            for count, bounds in self.options[layer.name].items():
                rank = 1 + int((bounds > 1 - knob).sum())
                cost = getattr(self.chain_cost(layer, (count, rank)), kind)
                fitting.append((cost, (count, rank)))
            cost, best = min(fitting)
            if cost < getattr(layer.cost, kind):
                ranks[layer.name] = best
        return ranks

    def full(self):
        """Parts and ranks at which nothing is lost, for the check: as many parts as there may be."""
        return {name: (max(bounds), len(bounds[max(bounds)])) for name, bounds in self.options.items()}

    def chain_cost(self, layer, rank):
        return chains.pair_cost(layer, rank[1], groups=rank[0])

    def chain(self, layer, rank):
        count, kept = rank
        u, s, v = torch.linalg.svd(self._parts(layer, count), full_matrices=False)
        root = s[:, :kept].sqrt()
        left = (u[:, :, :kept] * root[:, None]).transpose(0, 1).flatten(1)
        right = (root[:, :, None] * v[:, :kept]).flatten(0, 1)
        return chains.pair(layer, left, right, groups=count)
